/**
 * What the project uses of TypeBox. Only this file imports it: the build bundles it into one file (scripts/build.mjs), because
 * its 700 modules made two thirds of the time that a command took to start.
 */
export { type Static, type TSchema, Type } from 'typebox';
export { Compile } from 'typebox/compile';
export { Settings } from 'typebox/system';
