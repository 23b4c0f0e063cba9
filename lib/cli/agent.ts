import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, type AgentStatus } from '../agent/agent.js'
import { ClosedError } from '../errors/index.js'
import type { Governor } from '../governor.js'
import { open } from '../open.js'
import type { TrialStatus } from '../plan/trial-guard.js'

export interface AgentArguments {
  readonly dir?: string | undefined
}

/** How often it looks whether it has become the one that plans. */
const LOOK_MS = 200

/**
 * The agent of a named arena, in a process of its own, until it is told to end: by SIGINT or SIGTERM, or the signal.
 *
 * @throws what `open()` does; a RetiredError or CorruptError when the arena is of no more use; a ClosedError when it has stopped by itself
 */
export async function runAgent(name: string, { dir }: AgentArguments, print: (text: string) => void, ended: AbortSignal): Promise<void> {
  const gov = open({ name, ...(dir !== undefined && { dir }) })
  try {
    await gov.agent.start({ thread: false })
    let told: boolean | undefined
    while (!ended.aborted) {
      const active = known(await Agent.leads(gov.agent), gov)
      if (active !== told) print(active ? `plans for ${name}\n` : `learns, and waits: another agent plans for ${name}\n`)
      told = active
      await sleep(LOOK_MS, undefined, { signal: ended }).catch(error => {
        // Woken by its end, which is no failure.
        if (!ended.aborted) throw error
      })
    }
    print(summary(known(await gov.agent.status(), gov)))
  } finally {
    await gov.close()
  }
}

/** Whoever supervises the process starts it again: one that learns no more is of no use. @throws ClosedError */
function known<T>(answer: T | undefined, { name, foresight }: Governor): T {
  if (answer === undefined) throw new ClosedError('the agent has stopped', { resource: name }, foresight.error)
  return answer
}

function summary(status: AgentStatus): string {
  const { used, written } = status.locks
  const { checked, unneeded, hopeless } = status.checks
  const saved = ({ benefit, on }: TrialStatus) => `${benefit.mean.toFixed(3)} saved a second${on ? '' : ', put out'}\n`
  return [
    `${status.written} plans written; of ${written} holds ${used} were used\n`,
    status.warm === undefined ? '' : `of ${status.warm.written} warm-ups ${status.warm.used} were used\n`,
    `${checked} were checked by a shadow request; ${unneeded} were not needed, ${hopeless} could not have helped\n`,
    ...Object.entries(status.pools).map(([name, of]) => `${name}: ${saved(of)}`),
    // Of most buckets nothing is ever kept.
    ...Object.entries(status.buckets)
      .filter(([, { on, benefit }]) => !on || benefit.mean !== 0)
      .map(([name, of]) => `tokens of ${name}: ${saved(of)}`),
    ...Object.entries(status.shares).map(([name, of]) => `shares of ${name}: ${saved(of)}`),
    status.escalations === undefined ? '' : `escalations, begun ${status.escalations.begun} times: ${saved(status.escalations)}`
  ].join('')
}
