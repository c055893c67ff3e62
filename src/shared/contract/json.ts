/** JSON that another client may have written. Pure. */

/** Undefined: the text is no JSON. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
