import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { historyOf, openMemoryStore, type Row } from '../../../lib/index.js'
import { locks } from '../../../lib/lock.js'
import { tellNotices } from '../../../lib/notice-board.js'
import { AGENT_LOCK, type ContentionNotice, type OutcomeNotice } from '../../../lib/notices.js'
import { REMEDY_NOTE } from '../../../lib/workflow/remedy-note.js'
import { CONTENTION, LOOK_MS } from '../notices.support.js'
import { macrotask, virtual } from '../support.js'

const GAP_MS = 500
const NOTICE: ContentionNotice = { ...CONTENTION, within: GAP_MS, followed: GAP_MS, gap: GAP_MS }
const OUTCOME: OutcomeNotice = {
  event: 'outcome',
  id: 'a:1',
  kind: 'pool',
  what: 'p',
  tier: 'interactive',
  came: true,
  requests: 2,
  waited: 250
}

const told = ({ kind, subject, tier, workflow, made, due, value, truth, score }: Row<'estimates'>) => {
  // Times of the day carry quarters of a microsecond at best.
  return { kind, subject, tier, workflow, lasted: Math.round((due ?? 0) - made), value, truth, score }
}

test('what came of a remedy is kept: whether the collision came, and what it cost', async () => {
  const gov = virtual({ capacity: { telemetry: 4096 } })
  const store = await openMemoryStore({ flushInterval: Number.POSITIVE_INFINITY })
  const recorder = gov.record(store, { interval: 1e6, host: false })
  await recorder.begun
  const low = gov.workflow('low', { tier: 'background', remedies: { apply: ['reschedule'], control: 0 }, metering: false })
  const agent = gov.lock(AGENT_LOCK).tryAcquire()
  gov.advance(1000)
  const tell = (notice: ContentionNotice | OutcomeNotice) => tellNotices(locks.sessionOf(gov.lock('any')), [notice])
  tell(NOTICE)
  gov.advance(LOOK_MS)
  const run = low.run(() => {})
  gov.advance(GAP_MS - LOOK_MS)
  await run
  tell(OUTCOME)
  gov.advance(LOOK_MS)
  for (const text of ['{}', 'no JSON', '{"id":1}']) gov.telemetry.note(REMEDY_NOTE, new TextEncoder().encode(text))
  await macrotask()
  await recorder.drain()
  const about = { subject: 'pool:p', tier: 'interactive', lasted: GAP_MS + LOOK_MS }
  assert.equal((await store.select('estimates')).map(told), [
    { kind: 'collision', ...about, workflow: undefined, value: 0.8, truth: 1, score: (0.8 - 1) ** 2 },
    // 475 ms of the run's, and 250 ms at eight times that.
    { kind: 'remedy:reschedule', ...about, workflow: 'low', value: undefined, truth: 0.475 + 2, score: undefined }
  ])
  const [collisions] = await historyOf(store).predictions({ kind: 'collision' })
  assert.equal([collisions?.made, collisions?.known], [1, 1])
  agent?.release()
  await gov.close()
  await store.close()
})

test.run()
