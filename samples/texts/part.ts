/** What a sample document is made of, whatever file it becomes. */
export type Part =
  | readonly ['title' | 'heading' | 'text' | 'code', string]
  | readonly ['list', readonly string[]]
  | readonly ['table', readonly (readonly string[])[]]
  | readonly ['page'];
