const LINE_COMMENT = '--'
const COMMENT_FROM = '/*'
const COMMENT_TO = '*/'

/** Whether there is no statement in SQL: nothing but space, semicolons and comments. One that does not end is for the database to complain of. */
export function isBlank(sql: string): boolean {
  let at = 0
  while (at < sql.length) {
    const next = sql.startsWith(LINE_COMMENT, at) ? lineEnd(sql, at) : sql.startsWith(COMMENT_FROM, at) ? commentEnd(sql, at) : at + 1
    if (next === at + 1 && !/[\s;]/.test(sql.charAt(at))) return false
    at = next
  }
  return at === sql.length
}

function lineEnd(sql: string, from: number): number {
  const end = sql.indexOf('\n', from)
  return end === -1 ? sql.length : end
}

/** Comments may be in comments. Beyond the end where it has none. */
function commentEnd(sql: string, from: number): number {
  let depth = 0
  for (let at = from; at < sql.length; at++) {
    if (sql.startsWith(COMMENT_FROM, at)) depth++
    else if (sql.startsWith(COMMENT_TO, at)) depth--
    else continue
    at++
    if (depth === 0) return at + 1
  }
  return sql.length + 1
}
