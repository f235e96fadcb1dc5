/** One doc comment of a declaration file. */
export interface DocComment {
  /** The member it stands before; empty for the class itself. */
  readonly member: string
  readonly text: string
}

const commented = /\/\*\*((?:(?!\*\/)[^])*)\*\/\s*(?:export declare class \w+|'([^'\n]+)'\??:)/g

/** The doc comments of a generated class declaration: of the class, and of its quoted members. */
export function parseDocComments(declaration: string): DocComment[] {
  return [...declaration.matchAll(commented)]
    .map(([, comment = '', member = '']) => ({ member, text: plainText(comment) }))
    .filter(({ text }) => text !== '')
}

/** Without the stars, and without what the generator escaped. */
function plainText(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim()
    .replaceAll('*_/', '*/')
    .replace(/\\(["'\\])/g, '$1')
}
