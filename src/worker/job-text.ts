/** The data of a job as it stands in Redis: text that anybody has written. Pure. */

/** Pairs in a job's JSON: as many as arrays that follow one another, with or without white space. */
export function countPairs(json: string): number {
  let count = 1;
  for (let at = json.indexOf(']'); at >= 0; at = json.indexOf(']', at + 1)) {
    let next = at + 1;
    while (json[next] === ' ' || json[next] === ',' || json[next] === '\n') next += 1;
    if (json[next] === '[' && next > at + 1) count += 1;
  }
  return count;
}

export function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
