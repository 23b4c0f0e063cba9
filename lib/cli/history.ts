import { userInfo } from 'node:os'
import { type GuardedHistory, openHistory } from '../access/door.js'

/** Asks a history in the name of the user, and closes it: the answer as JSON. */
export async function askHistory(where: string, query: string, role = 'viewer'): Promise<string> {
  const history = await openHistory(where, { as: role, who: userInfo().username })
  try {
    return JSON.stringify(await ask(history, query), (_, value) => (typeof value === 'bigint' ? value.toString() : value), 2)
  } finally {
    await history.close()
  }
}

function ask(history: GuardedHistory, query: string): Promise<unknown> {
  const [question, workflow, action] = query.split(/\s+/)
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
      return history.usage(workflow, action)
    default:
      return history.sql(query)
  }
}
