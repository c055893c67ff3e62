/**
 * What the project uses of TypeBox. Only this file imports it: the build bundles it into one file (scripts/build.mjs), because
 * its 700 modules took 0.3 s or more of processor time at every start, four tenths of what a command needed.
 */
export { type Static, type TSchema, Type } from 'typebox';
export { Compile } from 'typebox/compile';
export { Settings } from 'typebox/system';
