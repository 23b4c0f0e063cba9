import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { joinArena } from '../../../lib/open.js'
import type { ActionSpan } from '../../../lib/shadow/course.js'
import type { Running } from '../../../lib/shadow/running.js'
import { decodeRunningNote, noteRunning, RUNNING_NOTE, type RunningNote } from '../../../lib/shadow/running-note.js'
import { decodeNotes } from '../../../lib/telemetry/record.js'
import { virtual } from '../support.js'

/** What those who observe read of a run with these actions. */
async function told(actions: readonly ActionSpan[], workflow = 'import'): Promise<(RunningNote | undefined)[]> {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  gov.telemetry.attach()
  const hold = { kind: 'lock', name: 'index', amounts: undefined, action: undefined, ordinal: 0, from: 1, until: undefined } as const
  const present = () => ({ elapsed: 5, actions, holds: [] })
  const run: Running = {
    id: 'r',
    workflow,
    tenant: undefined,
    tier: 'standard',
    began: 7,
    present,
    courses: () => [],
    heldSpans: () => [hold]
  }
  noteRunning(session, run)
  const room = new Uint8Array(65_536)
  const notes = [...decodeNotes(room, gov.telemetry.drainNotes(room))].map(({ bytes }) => decodeRunningNote(RUNNING_NOTE, bytes))
  session.leave()
  await gov.close()
  return notes
}

const action = (position: number, duration?: number): ActionSpan => ({ name: `step ${position}`, position, offset: position, duration })

test('a note has where a run is, what it holds and what it did, and no more than that', async () => {
  const [note] = await told([{ ...action(0, 1), usage: { cpu: 1 } } as ActionSpan, action(1)])
  assert.equal(note, {
    id: 'r',
    workflow: 'import',
    tier: 'standard',
    began: 7,
    actions: [
      { name: 'step 0', position: 0, offset: 0, duration: 1 },
      { name: 'step 1', position: 1, offset: 1 }
    ],
    holds: [{ kind: 'lock', name: 'index', ordinal: 0, from: 1 }]
  })
})

test('of more actions than it has room for it has the last ones', async () => {
  const [note] = await told([...Array.from({ length: 1000 }, (_, i) => action(i, 1)), action(1000)])
  assert.is(note?.holds.length, 1)
  const positions = note?.actions.map(({ position }) => position) ?? []
  assert.ok(positions.length > 10 && positions.length < 1000, `${positions.length}`)
  assert.equal(
    positions,
    Array.from({ length: positions.length }, (_, i) => 1001 - positions.length + i)
  )
})

test('of a run with a name too long for a note there is none', async () => {
  assert.equal(await told([action(0)], 'x'.repeat(4096)), [])
})

test.run()
