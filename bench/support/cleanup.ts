/**
 * Cleans up processes, directories and keys. Code that starts something registers here how to undo it, so that a signal in
 * the middle of a measurement leaves nothing behind.
 */
type Undo = () => void | Promise<void>;

const undone: Undo[] = [];
let ending = false;

/** @returns a function that unregisters `undo`, for the regular end */
export function atEnd(undo: Undo): () => void {
  undone.push(undo);
  return () => {
    const place = undone.lastIndexOf(undo);
    if (place >= 0) undone.splice(place, 1);
  };
}

/** From now on nothing new may be started. */
export const isEnding = (): boolean => ending;

/** Undoes everything, last first. A failed step does not stop the others. */
export async function cleanUp(): Promise<void> {
  ending = true;
  for (const undo of undone.splice(0).reverse())
    try {
      await undo();
    } catch (error) {
      console.error(error);
    }
}
