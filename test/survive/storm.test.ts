import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Governor, open } from '../../lib/index.js'
import type { Report, Setup } from './storm.child.js'
import { ask, kill, message, Random, start, temporaryFolder, until } from './support.js'

const test = suite('a storm of deaths')
const dir = temporaryFolder()
const PROCESSES = 8
const LOCKS = 4
const STORM_MS = Number(process.env.FORELOCK_STORM_MS ?? 20_000)
const CALM_MS = 1_500
const seed = Number(process.env.FORELOCK_SEED ?? 1)
const random = new Random(seed)

interface Storm {
  gov: Governor
  setup: Setup
  children: ChildProcess[]
}

async function begin(name: string, processes: number): Promise<Storm> {
  const record = join(dir, `record-${name}`)
  writeFileSync(record, Buffer.alloc(LOCKS * 16))
  const gov = open({ name, dir, capacity: { elements: 256, waiters: 128 * 64, participants: 64, names: 64 } })
  const storm: Storm = { gov, setup: { dir, name, record, locks: LOCKS, seed }, children: [] }
  const starting = Array.from({ length: processes }, () => enter(storm))
  storm.children = await Promise.all(starting)
  return storm
}

async function enter(storm: Storm): Promise<ChildProcess> {
  storm.setup.seed += 2
  const child = start('storm.child.ts', [JSON.stringify(storm.setup)])
  await message(child)
  return child
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** Ends a storm in peace, and says what its survivors saw. */
async function finish(storm: Storm): Promise<Report[]> {
  const reports = await Promise.all(storm.children.map(child => ask<Report[]>(child, {})))
  return reports.flat()
}

/** Nobody holds, nobody waits, and no slot is in use. */
async function nothingIsLeft(gov: Governor): Promise<void> {
  // The locks of the dead are taken over by whoever asks next.
  for (let i = 0; i < LOCKS; i++) (await gov.lock(`storm-${i}`).acquire({ waitTimeout: 20_000 })).release()
  ;(await gov.lock('storm-shared').acquire({ waitTimeout: 20_000 })).release()
  await until('nothing is held and nobody waits', () => gov.inspect().length === 0)
  const { waiting, slotsInUse } = gov.counters()
  assert.equal({ waiting, slotsInUse }, { waiting: 0, slotsInUse: 0 })
}

function noViolation(reports: readonly Report[]): void {
  assert.equal(
    reports.flatMap(report => report.violations),
    [],
    `seed ${seed}`
  )
}

test('while nobody dies, nothing is repaired and no wake is found by probing', async () => {
  const storm = await begin('calm', 4)
  try {
    await pause(CALM_MS)
    const reports = await finish(storm)
    noViolation(reports)
    assert.ok(reports.every(report => report.grants > 0))
    assert.equal(
      reports.flatMap(report => report.told),
      []
    )
    await nothingIsLeft(storm.gov)
    const { takeovers, rescans, probeHandoffs } = storm.gov.counters()
    assert.equal({ takeovers, rescans, probeHandoffs }, { takeovers: 0, rescans: 0, probeHandoffs: 0 })
  } finally {
    await Promise.all(storm.children.map(kill))
    await storm.gov.close()
  }
})

test('under random SIGKILL and SIGSTOP no lock is held twice, tokens grow, and every waiter is served', async () => {
  const storm = await begin('kills', PROCESSES)
  let deaths = 0
  try {
    const end = Date.now() + STORM_MS
    while (Date.now() < end) {
      const at = random.below(PROCESSES)
      const victim = storm.children[at] as ChildProcess
      if (random.below(3) === 0) {
        victim.kill('SIGSTOP')
        await pause(random.below(120))
        if (random.below(2) === 0) {
          victim.kill('SIGCONT')
          continue
        }
      }
      await kill(victim)
      deaths++
      storm.children[at] = await enter(storm)
    }
    const reports = await finish(storm)
    noViolation(reports)
    assert.ok(deaths > 0 && reports.length === 2 * PROCESSES)
    const told = reports.flatMap(report => report.told)
    assert.is(new Set(told).size, told.length, 'each grant that tells of a death is one of its own')
    assert.ok(told.length <= 3 * deaths, `${told.length} were told of ${deaths} deaths`)
    await nothingIsLeft(storm.gov)
    await until('every participant but ours has been swept', () => storm.gov.inspect().length === 0)
  } finally {
    await Promise.all(storm.children.map(kill))
    await storm.gov.close()
  }
})

test.run()
