/** `1 job`, `2 jobs`: a number with its noun, in lines that programs read as well (people get separators). Pure. */
export const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
