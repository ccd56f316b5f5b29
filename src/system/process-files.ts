import { readdirSync, readlinkSync } from 'node:fs';

/** Paths of the files that a process has open; `undefined` where the system does not show them. */
export function filesOpenIn(pid: number): string[] | undefined {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).flatMap((fd) => linkAt(`${folder}/${fd}`));
  } catch {
    return undefined;
  }
}

function linkAt(path: string): string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    return []; // closed meanwhile
  }
}
