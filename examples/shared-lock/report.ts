import type { Granted } from './messages.js'

interface Grant extends Granted {
  readonly who: string
  readonly tier: string
}

interface Kill {
  readonly kind: 'killed'
  readonly who: string
  readonly at: number
}

/** What happened. Times are ns on the clock of the arena. */
export type Entry = Grant | Kill

/**
 * Who got what, how the kill was recovered from, and whether tokens grew.
 *
 * @throws Error if tokens did not grow in the order of the grants, or nobody was told of the death
 */
export function report(log: readonly Entry[]): string {
  const inOrder = [...log].sort((a, b) => a.at - b.at)
  const start = inOrder[0]?.at ?? 0
  const grants = inOrder.filter(entry => entry.kind === 'granted')
  const base = (grants[0]?.token ?? 0n) - 1n
  const lines = inOrder.map(entry => `${ms(entry.at - start).padStart(11)}  ${sentence(entry, base)}`)
  return [...lines, '', ...totals(grants), '', recovery(inOrder, grants), tokenOrder(grants)].join('\n')
}

function sentence(entry: Entry, base: bigint): string {
  if (entry.kind === 'killed') return `${entry.who} is killed (SIGKILL) while it holds the lock`
  const died = entry.ownerDied ? ', and is told that the owner before it died' : ''
  return `${entry.who} gets token +${entry.token - base} (${entry.tier})${died}`
}

function totals(grants: readonly Grant[]): string[] {
  const counts = new Map<string, number>()
  for (const { who } of grants) counts.set(who, (counts.get(who) ?? 0) + 1)
  return [...counts].sort(([a], [b]) => a.localeCompare(b)).map(([who, count]) => `${who}: ${count} grants`)
}

function recovery(log: readonly Entry[], grants: readonly Grant[]): string {
  const killed = log.find(entry => entry.kind === 'killed')
  const next = grants.find(grant => grant.ownerDied)
  if (killed === undefined || next === undefined) throw new Error('nobody was told that the owner died')
  return `recovery: ${ms(next.at - killed.at)} from the kill to the next grant, ${next.who}`
}

function tokenOrder(grants: readonly Grant[]): string {
  for (let i = 1; i < grants.length; i++) {
    if ((grants[i] as Grant).token <= (grants[i - 1] as Grant).token) throw new Error(`grant ${i + 1} has a token that did not grow`)
  }
  return `token order: ${grants.length} grants, each with a larger token than the one before`
}

function ms(ns: number): string {
  return `${(ns / 1e6).toFixed(3)} ms`
}
