import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Governor, Workflow, WorkflowOptions } from '../../../lib/index.js'
import { isHeld } from '../../../lib/is-held.js'
import { locks } from '../../../lib/lock.js'
import { tellNotices } from '../../../lib/notice-board.js'
import { AGENT_LOCK } from '../../../lib/notices.js'
import { CONTENTION, LOOK_MS } from '../notices.support.js'
import { macrotask, virtual } from '../support.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const sessionOf = (gov: Governor) => locks.sessionOf(gov.lock('any'))
const hears = (gov: Governor, event: string) => isHeld(sessionOf(gov), `forelock:hears:${event}`)

/** How many of these are collected, of a hundred that nobody keeps. */
async function collected(gov: Governor, options: WorkflowOptions, use: (workflow: Workflow) => void = () => {}): Promise<number> {
  let count = 0
  const registry = new FinalizationRegistry(() => count++)
  for (let i = 0; i < 100; i++) {
    const workflow = gov.workflow(`w${i}`, { metering: false, ...options })
    use(workflow)
    registry.register(workflow, undefined)
  }
  for (let round = 0; round < 3; round++) {
    await macrotask()
    collect()
  }
  await macrotask()
  return count
}

for (const [what, options] of Object.entries({
  'that gives way': { remedies: 'apply' },
  'that is made ready': { onWarm: () => {} },
  'that does nothing': {}
} as Record<string, WorkflowOptions>)) {
  test(`a workflow ${what} and that nobody has any more is let go, and hears nothing more`, async () => {
    const gov = virtual()
    gov.lock(AGENT_LOCK).tryAcquire()
    const count = await collected(gov, options)
    // The last one made may be on the stack still.
    assert.ok(count >= 98, String(count))
    await gov.close()
  })
}

test('when the last one is gone nobody hears for them any more', async () => {
  const gov = virtual()
  const weak = (() => new WeakRef(gov.workflow('w', { remedies: 'apply', metering: false })))()
  assert.ok(hears(gov, 'contention') && hears(gov, 'outcome'))
  for (let round = 0; round < 10 && weak.deref() !== undefined; round++) {
    await macrotask()
    collect()
  }
  await macrotask()
  await macrotask()
  assert.is(weak.deref(), undefined)
  assert.not(hears(gov, 'contention'))
  assert.not(hears(gov, 'outcome'))
  await gov.close()
})

test('one that somebody listens to stays and tells, until nobody does', async () => {
  const gov = virtual()
  gov.lock(AGENT_LOCK).tryAcquire()
  const told = new Set<string>()
  const listeners: { readonly workflow: WeakRef<Workflow>; readonly listener: () => void }[] = []
  const count = await collected(gov, {}, workflow => {
    const { name } = workflow
    const listener = () => void told.add(name)
    workflow.on('contention', listener)
    listeners.push({ workflow: new WeakRef(workflow), listener })
  })
  assert.is(count, 0)
  gov.advance(1_000)
  tellNotices(sessionOf(gov), [CONTENTION])
  gov.advance(LOOK_MS)
  await macrotask()
  assert.is(told.size, 100)
  for (const { workflow, listener } of listeners) workflow.deref()?.off('contention', listener)
  for (let round = 0; round < 3; round++) {
    await macrotask()
    collect()
  }
  await macrotask()
  const left = listeners.filter(({ workflow }) => workflow.deref() !== undefined).length
  assert.ok(left <= 2, String(left))
  await gov.close()
})

test.run()
