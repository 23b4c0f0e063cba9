import { userInfo } from 'node:os'
import { type GuardedHistory, openHistory } from '../access/door.js'
import { refuse, text } from '../checks.js'

const QUESTIONS = [
  'peaks',
  'frequent',
  'bottlenecks',
  'quantiles',
  'usage WORKFLOW [ACTION]',
  'predictions [WORKFLOW]',
  'curves [WORKFLOW]'
]

/** Asks a history in the name of the user, and closes it: the answer as JSON. */
export async function askHistory(where: string, query: readonly string[], role = 'viewer'): Promise<string> {
  const history = await openHistory(where, { as: role, who: userInfo().username })
  try {
    return JSON.stringify(await ask(history, query), (_, value) => (typeof value === 'bigint' ? value.toString() : value), 2)
  } finally {
    await history.close()
  }
}

/** @param query as words of their own, or all in one: a name that has spaces must be one of them */
function ask(history: GuardedHistory, query: readonly string[]): Promise<unknown> {
  const [question, workflow, action] = query.length === 1 ? (query[0] as string).trim().split(/\s+/) : query
  switch (question) {
    case 'peaks':
      return history.peaks()
    case 'frequent':
      return history.frequent()
    case 'bottlenecks':
      return history.bottlenecks()
    case 'quantiles':
      return history.quantiles()
    case 'usage':
      return history.usage(text(workflow, 'WORKFLOW'), action)
    case 'predictions':
      return history.predictions({ ...(workflow !== undefined && { workflow }) })
    case 'curves':
      return history.curves({ ...(workflow !== undefined && { workflow }) })
    default:
      return history.sql(sqlOf(query.join(' ')))
  }
}

/** One word is a question that was misspelt: no SQL that reads is so short, and a viewer would be told of rights. */
function sqlOf(query: string): string {
  if (!/\s/.test(query.trim())) throw refuse('QUERY', `${QUESTIONS.join(', ')}, or SQL`, query)
  return query
}
