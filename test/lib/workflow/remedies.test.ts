import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ContentionNotice, Governor, Remedy, Workflow } from '../../../lib/index.js'
import { locks } from '../../../lib/lock.js'
import { tellNotices } from '../../../lib/notice-board.js'
import { AGENT_LOCK, type Notice, type PlanNotice } from '../../../lib/notices.js'
import { isCoded, isSettled, macrotask, thrown, virtual } from '../support.js'

const LOOK_MS = 25
const NOTICE: ContentionNotice = {
  event: 'contention',
  id: 'a:1',
  pool: 'p',
  tier: 'interactive',
  probability: 0.8,
  within: 500 + LOOK_MS,
  kept: 2,
  capacity: 10,
  free: 1,
  expected: 3,
  usual: 1,
  gap: 500 + LOOK_MS,
  costs: [1, 2, 8, 32]
}

const sessionOf = (gov: Governor) => locks.sessionOf(gov.lock('any'))

/** A governor in which there is an agent. */
function planned(): Governor {
  const gov = virtual()
  gov.lock(AGENT_LOCK).tryAcquire()
  return gov
}

/** It is heard at the next look. */
async function tell(gov: Governor, ...notices: Notice[]): Promise<void> {
  tellNotices(sessionOf(gov), notices)
  gov.advance(LOOK_MS)
  await macrotask()
}

function heard(workflow: Workflow): { remedies: Remedy[]; contentions: number[] } {
  const told = { remedies: [] as Remedy[], contentions: [] as number[] }
  workflow.on('remedy', remedy => told.remedies.push(remedy))
  workflow.on('contention', ({ probability }) => told.contentions.push(probability))
  return told
}

test('a workflow below the tier that will collide is advised to begin later, and begins as before', async () => {
  const gov = planned()
  const low = gov.workflow('low', { tier: 'background' })
  const told = heard(low)
  await tell(gov, NOTICE)
  assert.equal(told, { remedies: [{ kind: 'reschedule', pool: 'p', tier: 'interactive', delay: 500, applied: false }], contentions: [0.8] })
  assert.ok(await isSettled(low.run(() => {})))
  assert.equal(low.remedies(), { advised: 1, delayed: 0, delayedMs: 0 })
  await gov.close()
})

test('where it may, it begins when that is over, and says how much later', async () => {
  const gov = planned()
  const low = gov.workflow('low', { tier: 'background', remedies: 'apply' })
  await tell(gov, NOTICE)
  const run = low.run(() => 'done')
  gov.advance(499)
  assert.not(await isSettled(run))
  gov.advance(1)
  assert.is(await run, 'done')
  assert.equal(low.remedies(), { advised: 1, delayed: 1, delayedMs: 500 })
  assert.is(await low.run(() => 'at once'), 'at once')
  await gov.close()
})

test('one whose turn is put off can be given up', async () => {
  const gov = planned()
  const low = gov.workflow('low', { tier: 'background', remedies: 'apply' })
  await tell(gov, NOTICE)
  const ending = new AbortController()
  const run = low.run({ signal: ending.signal }, () => assert.unreachable())
  ending.abort(new Error('enough'))
  assert.is(await run.catch((error: Error) => error.message), 'enough')
  await gov.close()
})

test('the tier itself is told, and has no remedy; what is above it hears nothing', async () => {
  const gov = planned()
  const same = heard(gov.workflow('same', { tier: 'interactive' }))
  const above = heard(gov.workflow('above', { tier: 'critical' }))
  await tell(gov, NOTICE)
  assert.equal(same, { remedies: [], contentions: [0.8] })
  assert.equal(above, { remedies: [], contentions: [] })
  await gov.close()
})

test('plans are told to whom they are for, and to whom they keep waiting', async () => {
  const gov = planned()
  const seen: string[] = []
  for (const [name, tier] of [
    ['low', 'background'],
    ['high', 'critical'],
    ['mine', 'critical']
  ] as const) {
    gov.workflow(name, { tier }).on('plan', ({ kind }) => seen.push(`${name} ${kind}`))
  }
  const plan = { event: 'plan', what: 'p', amount: 0.1, until: 1000, who: undefined } as const
  const notices: PlanNotice[] = [
    { ...plan, kind: 'keep', tier: 'interactive' },
    { ...plan, kind: 'reserve', tier: undefined, who: 'mine' }
  ]
  await tell(gov, ...notices)
  assert.equal(seen, ['low keep', 'mine reserve'])
  await gov.close()
})

test('there are two ways to take them', async () => {
  const gov = planned()
  isCoded(
    thrown(() => gov.workflow('w', { remedies: 'perhaps' as 'apply' })),
    'ERR_FORELOCK_ARGUMENT'
  )
  await gov.close()
})

test.run()
