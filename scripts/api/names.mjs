// @ts-check
import ts from 'typescript';

/** As GitHub makes it of a heading. @param {string} heading */
export function slugOf(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}

/** `undefined`: it is no member that a user sees. @param {ts.ClassElement} member */
export function memberName({ name }) {
  if (name === undefined || ts.isPrivateIdentifier(name)) return undefined;
  return name.getText().replace(/^\[Symbol[.](\w+)\]$/, '$1');
}
