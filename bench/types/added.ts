import { loadFloors } from '../drivers/floors.js'
import { arenaOf, load } from '../drivers/forelock.js'
import type { Kind } from './kind.js'

/** In a sample: a third of a millisecond, so that most are not interrupted. */
const PAIRS = 2 ** 12
/** After a change, and what the change itself costs is not of the pair. */
const PAIRS_TO_SETTLE = 2 ** 9
const WARM_UP_MS = 100
const PLAN_MS = 60_000

/** Something to be in force while pairs are timed; it is between two of without. */
interface Condition {
  begin(): void
  end(): void
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] as number

/** ns per one of PAIRS. */
function timed(pairs: (n: number) => void): number {
  const from = process.hrtime.bigint()
  pairs(PAIRS)
  return Number(process.hrtime.bigint() - from) / PAIRS
}

/** What a condition adds to a pair, ns: against those right before and right after, so that no change of the machine's mood is in it. */
function added(pairs: (n: number) => void, { begin, end }: Condition, rounds: number): number[] {
  const values: number[] = []
  const warm = (ms: number) => {
    for (const until = performance.now() + ms; performance.now() < until; ) pairs(PAIRS_TO_SETTLE)
  }
  begin()
  warm(WARM_UP_MS)
  end()
  warm(WARM_UP_MS)
  for (let round = 0; round < rounds; round++) {
    const before = timed(pairs)
    begin()
    pairs(PAIRS_TO_SETTLE)
    const within = timed(pairs)
    end()
    pairs(PAIRS_TO_SETTLE)
    values.push(within - (before + timed(pairs)) / 2)
  }
  return values
}

/** A grant and its end. */
const RECORDS_OF_PAIR = 2

/**
 * What records and plans add to a pair of `tryAcquire()` and `release()`, in ns: with an agent attached, by the CPU's counter
 * (`cpu`; none where it cannot be relied on) and by clock_gettime (`system`), and of that each of the two records (`cpuRecord`,
 * `systemRecord`); with a hold of this very lock, for somebody else of the same tier (`plan`),
 * and of another lock (`elsewhere`); of an arena that the agent has left, against one that never had any (`left`); and the look at both that is left when
 * there is neither, as two calls of the floors' addon with and without it (`look`).
 */
export const adding: Kind = async ({ job }) => {
  const { open } = await load(job.setting)
  const gov = open(arenaOf(job.setting))
  const lock = gov.lock('lock')
  const rounds = job.quick ? 80 : 400
  const pairs = (n: number) => {
    for (let i = 0; i < n; i++) if (lock.tryAcquire()?.release() !== true) throw new Error('the lock is not free')
  }
  const attached: Condition = { begin: () => gov.telemetry.attach(), end: () => gov.telemetry.detach() }
  const attachedBy = (clock: 'cpu' | 'monotonic') => {
    gov.telemetry.clock = clock // not in each round: a clock that is changed is measured anew for 10 ms
    return added(pairs, attached, rounds)
  }
  const plannedFor = (name: string): Condition => {
    let id = ''
    return {
      begin() {
        id = gov.plans.write({ kind: 'hold', lock: name, tier: 'standard', workflow: 'somebody else', until: PLAN_MS })
      },
      end() {
        if (!gov.plans.withdraw(id)) throw new Error('the plan has ended')
      }
    }
  }
  const clock = gov.telemetry.clock
  for (let i = 0; i < 200; i++) pairs(PAIRS)
  const fresh = Array.from({ length: rounds }, () => timed(pairs))
  const elsewhere = added(pairs, plannedFor('another'), rounds)
  const plan = added(pairs, plannedFor('lock'), rounds)
  const cpu = clock === 'cpu' ? attachedBy('cpu') : []
  const system = attachedBy('monotonic')
  const never = open({ ...arenaOf(job.setting), name: 'never' })
  const unobserved = never.lock('lock')
  let taken = unobserved
  const left = added(
    n => {
      for (let i = 0; i < n; i++) if (taken.tryAcquire()?.release() !== true) throw new Error('the lock is not free')
    },
    {
      begin() {
        taken = lock
      },
      end() {
        taken = unobserved
      }
    },
    rounds
  )
  await never.close()
  await gov.close()
  const each = (pairs: number[]) => pairs.map(pair => pair / RECORDS_OF_PAIR)
  return {
    series: { cpu, system, cpuRecord: each(cpu), systemRecord: each(system), plan, elsewhere, left, look: looks(job.setting, rounds) },
    notes: { 'lock/try here': Math.round(median(fresh)) }
  }
}

/** A pair is two calls. */
function looks(setting: Parameters<typeof loadFloors>[0], rounds: number): number[] {
  const { find, look } = loadFloors(setting)
  let looking = false
  const pairs = (n: number) => {
    if (looking) for (let i = 0; i < 2 * n; i++) look()
    else for (let i = 0; i < 2 * n; i++) find()
  }
  const condition = {
    begin() {
      looking = true
    },
    end() {
      looking = false
    }
  }
  return added(pairs, condition, rounds)
}
