/** JSON that another client may have written. Pure. */

/** @returns undefined if the text is not JSON */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
