import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Governor, open } from '../../lib/index.js'
import { locks } from '../../lib/lock.js'
import { NOTICE_NOTE, noticeBoardOf, tellNotices } from '../../lib/notice-board.js'
import { AGENT_LOCK, type Notice, type PlanNotice } from '../../lib/notices.js'
import type { Session } from '../../lib/session.js'
import { decodeNotes } from '../../lib/telemetry/record.js'
import { CONTENTION, LOOK_MS } from './notices.support.js'
import { virtual } from './support.js'

const SEEK_MS = 1_000

const COMING = CONTENTION
const KEEP: PlanNotice = { event: 'plan', kind: 'keep', what: 'p', tier: 'interactive', who: undefined, amount: 0.1, until: 1000 }

// What is not said has no place in a note.
const { who: _, ...keep } = KEEP

const sessionOf = (gov: Governor): Session => locks.sessionOf(gov.lock('any'))
const isObserved = (gov: Governor) => sessionOf(gov).binding.isObserved()

/** Two governors of one arena, of which the other is the agent's. */
async function together(body: (gov: Governor, session: Session, agent: Session, other: Governor) => Promise<void> | void): Promise<void> {
  const gov = virtual()
  const other = open({ handle: gov.handle, autoEnclose: false })
  other.lock(AGENT_LOCK).tryAcquire()
  try {
    await body(gov, sessionOf(gov), sessionOf(other), other)
  } finally {
    await other.close()
    await gov.close()
  }
}

function hearing(session: Session, event: Notice['event'] = 'contention'): { heard: Notice[]; stop(): void } {
  const heard: Notice[] = []
  return { heard, stop: noticeBoardOf(session).on(event, notice => heard.push(notice)) }
}

test('what an agent tells is heard in every governor of the arena that listens, with its times as they are by then', () =>
  together((gov, session, agent) => {
    const third = open({ handle: gov.handle, autoEnclose: false })
    const all = [hearing(session), hearing(sessionOf(third)), hearing(agent)]
    tellNotices(agent, [COMING])
    gov.advance(LOOK_MS)
    for (const { heard } of all) assert.equal(heard, [{ ...COMING, within: 500 - LOOK_MS, followed: 2000 - LOOK_MS, gap: 300 - LOOK_MS }])
    gov.advance(1000)
    for (const { heard } of all) assert.is(heard.length, 1)
    return third.close()
  }))

test('each kind is told while somebody hears that kind, and leaves no note otherwise', () =>
  together((gov, session, agent, other) => {
    other.telemetry.attach()
    const notes = () => {
      const buffer = new Uint8Array(1 << 16)
      return [...decodeNotes(buffer, other.telemetry.drainNotes(buffer))].map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()))
    }
    tellNotices(agent, [COMING, KEEP])
    assert.equal(notes(), [])
    const plans = hearing(session, 'plan')
    tellNotices(agent, [COMING, KEEP])
    gov.advance(LOOK_MS)
    assert.equal(plans.heard, [{ ...keep, until: 1000 - LOOK_MS }])
    assert.equal(notes().length, 1)
    plans.stop()
    tellNotices(agent, [COMING, KEEP])
    assert.equal(notes(), [])
  }))

test('what is over by the time it is read is dropped, and counted', () =>
  together((gov, session, agent) => {
    const { heard } = hearing(session)
    tellNotices(agent, [{ ...COMING, within: LOOK_MS }, COMING])
    gov.advance(LOOK_MS)
    assert.is(heard.length, 1)
    assert.equal(noticeBoardOf(session).status(), { heard: 1, stale: 1, ignored: 0 })
  }))

test('notes by others under that name are ignored, and counted', () =>
  together((gov, session, _agent, other) => {
    const { heard } = hearing(session)
    const wrong: unknown[] = [
      'no JSON',
      'null',
      '{}',
      '[null]',
      JSON.stringify([{ ...COMING, event: 'toString' }]),
      JSON.stringify([{ ...COMING, what: 1 }]),
      JSON.stringify([{ ...COMING, gap: -1 }]),
      JSON.stringify([{ ...COMING, costs: ['1'] }]),
      JSON.stringify([{ ...KEEP, kind: 'give' }])
    ]
    for (const text of wrong) other.telemetry.note(NOTICE_NOTE, new TextEncoder().encode(String(text)))
    other.telemetry.note('another', new TextEncoder().encode(JSON.stringify([COMING])))
    gov.advance(LOOK_MS)
    assert.equal(heard, [])
    assert.equal(noticeBoardOf(session).status(), { heard: 0, stale: 0, ignored: wrong.length })
  }))

test('nobody is made to record by one who listens where there is no agent; one that comes is heard a second later', async () => {
  const gov = virtual()
  const other = open({ handle: gov.handle, autoEnclose: false })
  const { heard, stop } = hearing(sessionOf(gov))
  assert.not(isObserved(gov))
  const grant = other.lock(AGENT_LOCK).tryAcquire()
  gov.advance(SEEK_MS)
  assert.ok(isObserved(gov))
  tellNotices(sessionOf(other), [COMING])
  gov.advance(LOOK_MS)
  assert.is(heard.length, 1)
  grant?.release()
  gov.advance(SEEK_MS)
  assert.not(isObserved(gov))
  other.lock(AGENT_LOCK).tryAcquire()
  gov.advance(SEEK_MS)
  stop()
  assert.not(isObserved(gov))
  await Promise.all([gov.close(), other.close()])
})

test('many notices are told in as many notes as they need; one that has no room in a note is not', () =>
  together((gov, session, agent) => {
    const { heard } = hearing(session)
    const many = Array.from({ length: 100 }, (_, i) => ({ ...COMING, id: `a:${i}`, pool: 'p'.repeat(100) }))
    tellNotices(agent, [...many, { ...COMING, what: 'p'.repeat(5000) }])
    gov.advance(LOOK_MS)
    assert.equal(
      heard.map(notice => 'id' in notice && notice.id),
      many.map(({ id }) => id)
    )
  }))

test('an arena without telemetry has no agent, and nothing is heard', async () => {
  const gov = virtual({ capacity: { telemetry: 0 } })
  const { heard } = hearing(sessionOf(gov))
  tellNotices(sessionOf(gov), [COMING])
  gov.advance(SEEK_MS)
  assert.equal(heard, [])
  await gov.close()
})

test.run()
