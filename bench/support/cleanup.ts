/**
 * What must not outlive the bench: processes, directories, keys. Everything that starts something says here how to undo
 * it, so that a signal in the middle of a measurement leaves nothing behind either.
 */
type Undo = () => void | Promise<void>;

const undone: Undo[] = [];
let ending = false;

/** @returns what forgets `undo` again, for the ordinary end */
export function atEnd(undo: Undo): () => void {
  undone.push(undo);
  return () => {
    const place = undone.lastIndexOf(undo);
    if (place >= 0) undone.splice(place, 1);
  };
}

/** From now on nothing new may be started. */
export const isEnding = (): boolean => ending;

/** Undoes everything, last first; what cannot be undone does not keep the rest from it. */
export async function cleanUp(): Promise<void> {
  ending = true;
  for (const undo of undone.splice(0).reverse())
    try {
      await undo();
    } catch (error) {
      console.error(error);
    }
}
