/**
 * Converts record ids to numbers and back: an id that a number represents exactly is that number, any other id gets a
 * negative number.
 */

export class RecordIds {
  #odd: string[] = [];
  #codes = new Map<string, number>();

  /** @returns undefined for an id that has no number yet */
  find(id: string): number | undefined {
    return exactNumber(id) ?? this.#codes.get(id);
  }

  code(id: string): number {
    const known = this.find(id);
    if (known !== undefined) return known;
    const code = -this.#odd.push(id);
    this.#codes.set(id, code);
    return code;
  }

  id(code: number): string {
    return code >= 0 ? String(code) : (this.#odd[-code - 1] ?? '');
  }
}

/** @returns the number whose text is the id (at most 15 digits, no leading zero), or undefined. The loop is faster than Number(). */
export function exactNumber(id: string): number | undefined {
  const { length } = id;
  if (length === 0 || length > 15 || (length > 1 && id.charCodeAt(0) === 48)) return undefined;
  let number = 0;
  for (let at = 0; at < length; at++) {
    const digit = id.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
  }
  return number;
}
