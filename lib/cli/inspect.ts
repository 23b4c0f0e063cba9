import { type Client, lockSnapshots } from '../inspect.js'
import { fromNative } from '../native/codes.js'
import { loadAddon } from '../native/load.js'

/** What `forelock inspect` shows of an arena, without joining it. */
export interface Inspection {
  readonly options: Record<string, unknown>
  readonly participants: object[]
  readonly locks: ReturnType<typeof lockSnapshots>
  readonly counters: Record<string, number>
}

export function inspectArena(name: string, dir: string | undefined): Inspection {
  const { options, participants, locks, counters } = look(name, dir)
  const tiers = Array.isArray(options.tiers) ? (options.tiers as string[]) : []
  return { options, participants, locks: lockSnapshots(locks, tiers), counters }
}

/** The inspection as JSON; tokens, which are bigints, as decimal strings. */
export function toJson(inspection: Inspection): string {
  return JSON.stringify(inspection, (_, value) => (typeof value === 'bigint' ? value.toString() : value), 2)
}

/** The inspection for people: a line for each holder and waiter, in order of service. */
export function toText(name: string, { participants, locks }: Inspection): string {
  const lines = [`arena ${name}: ${plural(participants.length, 'participant')}, ${plural(locks.length, 'lock')} held or waited for`]
  for (const lock of locks) {
    lines.push('', `lock ${JSON.stringify(lock.name)}${lock.shadow ? '  (runs dry)' : ''}`)
    for (const holder of lock.holders) lines.push(`  held     ${who(holder)}  token ${holder.token}${holder.alive ? '' : '  (died)'}`)
    for (const waiter of lock.waiters) lines.push(`  ${waiter.state.padEnd(7)}  ${who(waiter)}`)
  }
  return lines.join('\n')
}

function look(name: string, dir: string | undefined) {
  try {
    return loadAddon().inspect(name, dir)
  } catch (error) {
    throw fromNative(error, name)
  }
}

function who({ pid, tid, tier, mode, ageMs }: Client): string {
  const thread = tid === pid ? '' : ` thread ${tid}`
  return `${mode.padEnd(9)}  ${tier.padEnd(11)}  ${age(ageMs).padStart(8)}  pid ${pid}${thread}`
}

function age(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`
  return `${Math.round(ms / 60_000)} min`
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
