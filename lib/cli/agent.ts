import { once } from 'node:events'
import type { AgentStatus } from '../agent/agent.js'
import { open } from '../open.js'

export interface AgentArguments {
  readonly dir?: string | undefined
}

/** How often it looks whether it has become the one that plans. */
const LOOK_MS = 200

/**
 * The agent of a named arena, in a process of its own, until it is told to end: by SIGINT or SIGTERM, or the signal.
 *
 * @throws what `open()` does
 */
export async function runAgent(name: string, { dir }: AgentArguments, print: (text: string) => void, ended: AbortSignal): Promise<void> {
  const gov = open({ name, ...(dir !== undefined && { dir }) })
  try {
    await gov.agent.start({ thread: false })
    let told: boolean | undefined
    const look = setInterval(async () => {
      const status = await gov.agent.status().catch(() => undefined)
      if (status === undefined || status.active === told) return
      told = status.active
      print(told ? `plans for ${name}\n` : `learns, and waits: another agent plans for ${name}\n`)
    }, LOOK_MS)
    if (!ended.aborted) await once(ended, 'abort')
    clearInterval(look)
    print(summary(await gov.agent.status()))
  } finally {
    await gov.close()
  }
}

function summary(status: AgentStatus | undefined): string {
  if (status === undefined) return ''
  const pools = Object.entries(status.pools).map(([name, { benefit, on }]) => {
    return `${name}: ${benefit.mean.toFixed(3)} saved a second${on ? '' : ', put out'}\n`
  })
  const { used, written } = status.locks
  return `${status.written} plans written; of ${written} holds ${used} were used\n${pools.join('')}`
}
