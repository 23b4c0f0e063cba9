import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { AdaptiveLimit } from '../../../lib/limit/adaptive.js'
import { type AdaptOptions, readAdaptOptions } from '../../../lib/limit/options.js'
import type { AdaptReport } from '../../../lib/limit/report.js'
import { isCoded, thrown } from '../support.js'
import { Simulation, seeded } from './server.js'

const ON: AdaptOptions = { algorithm: 'gradient2', mode: 'on' }
const minutes = (count: number) => count * 60

/** A limit whose gate is a number, with windows of two samples and 100 ms, and a hand on everything. */
function fixture(options: Partial<AdaptOptions> = {}, permits = 10) {
  const state = { now: 5e9, permits, applied: [] as number[], random: 0, fails: undefined as Error | undefined }
  const terms = readAdaptOptions({ algorithm: 'aimd', mode: 'on', window: 100, samples: 2, jitter: 0, ...options }, permits)
  const limit = new AdaptiveLimit(terms, {
    now: () => state.now,
    random: () => state.random,
    current: () => state.permits,
    apply: to => {
      if (state.fails !== undefined) throw state.fails
      state.applied.push(to)
      state.permits = to
    }
  })
  /** The time goes on by so many ms, then something ends that took so long. */
  const end = (how: 'success' | 'ignore' | 'drop', { after = 60, took = 10, inFlight = state.permits } = {}) => {
    state.now += after * 1e6
    limit.ended(how, state.now - took * 1e6, inFlight)
  }
  const window = (how: 'success' | 'drop' = 'success', inFlight = state.permits) => {
    end(how, { inFlight })
    end(how, { inFlight })
  }
  return { state, limit, end, window }
}

test('a window ends with the first sample after its time that finds enough of them', () => {
  const { state, limit, end } = fixture()
  end('success', { after: 10 })
  end('success', { after: 10 })
  end('success', { after: 79 })
  assert.is(limit.report().windows, 0)
  end('success', { after: 1 })
  assert.is(limit.report().windows, 1)
  end('success', { after: 1000 })
  assert.is(limit.report().windows, 1)
  end('success', { after: 0 })
  assert.is(limit.report().windows, 2)
  assert.equal(state.applied, [11, 12])
})

test('jitter makes windows longer by a random part', () => {
  const { state, limit, end } = fixture({ jitter: 0.5 })
  state.random = 0.8
  end('success', { after: 100 })
  end('success', { after: 0 })
  assert.is(limit.report().windows, 1)
  end('success', { after: 139 })
  end('success', { after: 0 })
  assert.is(limit.report().windows, 1)
  end('success', { after: 1 })
  assert.is(limit.report().windows, 2)
})

test('a success is a sample, a drop counts as dropped, what is ignored is none', () => {
  const { state, limit, end } = fixture()
  end('ignore')
  end('ignore')
  end('ignore')
  assert.is(limit.report().samples, 0)
  end('success', { took: 20 })
  end('drop', { took: 400 })
  const { samples, drops, ignored, windows, rttMs, inFlight } = limit.report()
  assert.equal(
    { samples, drops, ignored, windows, rttMs, inFlight },
    { samples: 2, drops: 1, ignored: 3, windows: 1, rttMs: 20, inFlight: 10 }
  )
  assert.equal(state.applied, [9])
})

test('what cannot be measured is ignored and counted, and nothing is thrown', () => {
  const { state, limit } = fixture({ samples: 1 })
  state.now += 1e9
  const now = state.now
  for (const startNs of [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, now + 1, now]) limit.ended('success', startNs, 10)
  for (const inFlight of [Number.NaN, Number.POSITIVE_INFINITY, -1]) limit.ended('drop', now - 1e6, inFlight)
  const { samples, drops, ignored, windows } = limit.report()
  assert.equal({ samples, drops, ignored, windows }, { samples: 0, drops: 0, ignored: 8, windows: 0 })
  assert.equal(state.applied, [])
})

test('in shadow it reports what it would do, and never does it', () => {
  const { state, limit, window } = fixture({ mode: 'shadow' })
  for (let i = 0; i < 10; i++) window()
  assert.is(limit.report().proposed, 11)
  for (let i = 0; i < 10; i++) window('drop')
  const { mode, proposed, limit: inForce } = limit.report()
  assert.equal({ mode, proposed, inForce }, { mode: 'shadow', proposed: 9, inForce: 10 })
  assert.equal(state.applied, [])
})

test('in shadow it never acts, under any load, and says which way it would go', () => {
  for (const algorithm of ['gradient2', 'aimd'] as const) {
    const simulation = new Simulation({ patienceMs: 1300 }, { permits: 40, callers: 15 }, { algorithm })
    simulation.run(minutes(2))
    simulation.callers = 100
    simulation.run(minutes(2))
    assert.equal(simulation.applied, [])
    assert.is(simulation.permits, 40)
    assert.ok(simulation.report.proposed < 40, `${algorithm} proposed ${simulation.report.proposed}`)
  }
})

test('switched on, it goes on from the permits in force; switched back, it leaves them', () => {
  const { state, limit, window } = fixture({ mode: 'shadow' })
  window()
  limit.setMode('on')
  assert.equal(state.applied, [])
  window()
  assert.equal(state.applied, [11])
  limit.setMode('shadow')
  window()
  assert.equal(state.applied, [11])
  assert.is(state.permits, 11)
  isCoded(
    thrown(() => limit.setMode('off' as never)),
    'ERR_FORELOCK_ARGUMENT'
  )
  assert.is(limit.report().mode, 'shadow')
})

test('switching on begins a window: what was measured before does not act', () => {
  const { state, limit, end } = fixture({ mode: 'shadow' })
  end('drop')
  limit.setMode('on')
  end('success')
  end('success')
  assert.equal(state.applied, [11])
})

for (const [how, stop] of [
  ['switched back to shadow', (limit: AdaptiveLimit) => limit.setMode('shadow')],
  ['closed', (limit: AdaptiveLimit) => limit.close()]
] as const) {
  test(`${how} in a probe, it leaves the permits as learnt, not as lowered`, () => {
    const { state, limit, window } = fixture({ algorithm: 'gradient2', probe: 1 }, 100)
    window()
    assert.is(limit.report().probing, true)
    assert.is(state.permits, 50)
    assert.is(limit.report().proposed, 102)
    stop(limit)
    assert.is(state.permits, 102)
    window()
    assert.is(state.permits, 102)
  })
}

test('closed in a probe, it does not undo what somebody else has put in force since', () => {
  const { state, limit, window } = fixture({ algorithm: 'gradient2', probe: 1 }, 100)
  window()
  assert.is(limit.report().probing, true)
  state.permits = 7
  limit.close()
  assert.is(state.permits, 7)
})

test('it goes on from what somebody else has put in force', () => {
  const { state, window } = fixture()
  window()
  state.permits = 50
  window()
  assert.equal(state.applied, [11, 51])
})

test('two that adapt one gate follow each other', () => {
  const gate = { permits: 10 }
  const [one, other] = [1, 2].map(() => {
    const terms = readAdaptOptions({ algorithm: 'aimd', mode: 'on', window: 1, samples: 1, jitter: 0 }, 10)
    const state = { now: 0 }
    const limit = new AdaptiveLimit(terms, {
      now: () => state.now,
      random: () => 0,
      current: () => gate.permits,
      apply: to => {
        gate.permits = to
      }
    })
    return (how: 'success' | 'drop') => {
      state.now += 2e6
      limit.ended(how, state.now - 1e6, gate.permits)
      return gate.permits
    }
  }) as [(how: 'success' | 'drop') => number, (how: 'success' | 'drop') => number]
  assert.equal([one('success'), other('success'), one('success'), other('drop'), one('success')], [11, 12, 13, 11, 12])
})

test('a gate that somebody closed with 0 permits stays closed', () => {
  const { state, limit, window } = fixture()
  state.permits = 0
  window('success', 5)
  assert.equal(state.applied, [])
  assert.is(limit.report().limit, 0)
  state.permits = 4
  window()
  assert.equal(state.applied, [5])
})

test('permits outside of floor and ceiling are brought inside with the first window, not before', () => {
  const { state, window } = fixture({ floor: 20, ceiling: 30 })
  assert.equal(state.applied, [])
  window()
  assert.equal(state.applied, [21])
})

test('a change that the gate refuses is thrown, and made with the next window', () => {
  const { state, end, window } = fixture()
  state.fails = new Error('closed')
  end('success')
  assert.is(
    thrown(() => end('success')),
    state.fails
  )
  state.fails = undefined
  window()
  assert.equal(state.applied, [12])
})

test('onChange is told after the fact, when something changed, and what it throws meets no caller', async () => {
  const reports: AdaptReport[] = []
  const { end, window } = fixture({ onChange: report => reports.push(report) })
  window('success', 1)
  await null
  assert.is(reports.length, 0)
  end('success')
  end('success')
  assert.is(reports.length, 0)
  await null
  assert.equal(
    reports.map(({ limit, proposed }) => [limit, proposed]),
    [[11, 11]]
  )

  const uncaught = new Promise(resolve => process.once('uncaughtException', resolve))
  const failure = new Error('of the listener')
  const failing = fixture({
    onChange: () => {
      throw failure
    }
  })
  failing.window()
  assert.equal(failing.state.applied, [11])
  assert.is(await uncaught, failure)
})

test('gradient2 converges near the knee times its tolerance, from below', () => {
  for (const [workers, tolerance] of [
    [10, 1],
    [10, 1.5],
    [10, 2],
    [30, 1.5]
  ] as const) {
    const simulation = new Simulation({ workers }, { permits: 4, callers: 500 }, { ...ON, tolerance })
    simulation.run(minutes(6))
    const mean = simulation.mean(minutes(6))
    assert.ok(Math.abs(mean / (workers * tolerance) - 1) < 0.15, `${workers} workers, tolerance ${tolerance}: ${mean}`)
  }
})

test('gradient2 comes down to the knee from far above it, because it probes', () => {
  const simulation = new Simulation({}, { permits: 100, callers: 500 }, ON)
  simulation.run(minutes(30))
  assert.ok(Math.abs(simulation.mean(minutes(6)) / 15 - 1) < 0.15)
})

test('gradient2 stays at the knee for a day of endless demand', () => {
  const simulation = new Simulation({ serviceMs: 1000 }, { permits: 4, callers: 500 }, { ...ON, ceiling: 1000 })
  simulation.run(minutes(30))
  let most = 0
  simulation.run(24 * 3600, ({ limit }) => {
    most = Math.max(most, limit)
  })
  assert.ok(most <= 25, `${most}`)
})

test('the server keeps its throughput under gradient2: the probes cost less than a twentieth', () => {
  const simulation = new Simulation({}, { permits: 4, callers: 500 }, ON)
  simulation.run(minutes(6))
  const before = simulation.completed
  simulation.run(minutes(10))
  assert.ok((simulation.completed - before) / (minutes(10) * 20) > 0.95)
})

test('gradient2 follows a server that becomes slower, smaller and larger', () => {
  const simulation = new Simulation({}, { permits: 4, callers: 500 }, ON)
  simulation.run(minutes(6))
  for (const change of [{ serviceMs: 1250 }, { workers: 4 }, { workers: 20, serviceMs: 500 }]) {
    Object.assign(simulation.server, change)
    simulation.run(minutes(20))
    const mean = simulation.mean(minutes(6))
    assert.ok(Math.abs(mean / (simulation.server.workers * 1.5) - 1) < 0.15, `${JSON.stringify(change)}: ${mean}`)
  }
})

test('neither grows while callers use less than half of the limit', () => {
  for (const algorithm of ['gradient2', 'aimd'] as const) {
    const simulation = new Simulation({}, { permits: 20, callers: 8 }, { algorithm, mode: 'on' })
    simulation.run(minutes(10))
    assert.equal(simulation.applied, [], algorithm)
  }
})

test('aimd saws below the point where work is dropped', () => {
  // Dropped after a second, which is two workers' turns: more than 20 in flight cannot be done, some 15 are done for sure.
  const simulation = new Simulation({ patienceMs: 1000 }, { permits: 4, callers: 500 }, { algorithm: 'aimd', mode: 'on' })
  simulation.run(minutes(2))
  const mean = simulation.mean(minutes(6))
  assert.ok(mean > 12 && mean < 20, `${mean}`)
})

test('both back off when the server begins to drop, and recover when it has stopped', () => {
  for (const algorithm of ['gradient2', 'aimd'] as const) {
    const simulation = new Simulation({ workers: 50 }, { permits: 40, callers: 45 }, { algorithm, mode: 'on' })
    simulation.run(minutes(2))
    const before = simulation.permits
    simulation.server.patienceMs = 200
    simulation.run(60)
    assert.ok(simulation.permits <= before / 4, `${algorithm}: ${simulation.permits} of ${before}`)
    assert.ok(simulation.report.drops > 0)
    simulation.server.patienceMs = Number.POSITIVE_INFINITY
    simulation.run(minutes(6))
    assert.ok(simulation.report.proposed >= 40, `${algorithm}: ${simulation.report.proposed}`)
  }
})

test('no load and no noise brings it out of floor and ceiling', () => {
  const random = seeded(3)
  for (const algorithm of ['gradient2', 'aimd'] as const) {
    const simulation = new Simulation(
      {},
      { permits: 10, callers: 20 },
      { algorithm, mode: 'on', floor: 3, ceiling: 17, window: 100, samples: 1 }
    )
    for (let i = 0; i < 300; i++) {
      simulation.server.serviceMs = 10 + 400 * random() ** 4
      simulation.server.patienceMs = random() < 0.2 ? 10 : Number.POSITIVE_INFINITY
      simulation.callers = 1 + Math.floor(random() * 60)
      simulation.run(1)
    }
    assert.ok(simulation.report.windows > 500)
    assert.ok(Math.min(...simulation.applied) >= 3 && Math.max(...simulation.applied) <= 17, algorithm)
    assert.ok(simulation.applied.length > 20, algorithm)
  }
})

test('the same samples, clock and random numbers give the same limits', () => {
  const [one, other] = [1, 2].map(() => new Simulation({}, { permits: 4, callers: 500 }, ON).run(minutes(3)).applied)
  assert.equal(one, other)
})

test.run()
