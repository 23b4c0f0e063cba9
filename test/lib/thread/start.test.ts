import { once } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { joinArena } from '../../../lib/open.js'
import { arenaOf, startProcess, startThread } from '../../../lib/thread/start.js'
import { virtual } from '../support.js'

test('a thread joins a private arena by its handle, with what the session knows of privacy', async () => {
  const gov = virtual({ privacy: { elements: { 'user:': 'hash' } } })
  const session = joinArena({ handle: gov.handle, privacy: { elements: { 'user:': 'hash' } } })
  const arena = arenaOf(session)
  assert.is((arena as { handle: string }).handle, gov.handle)
  const joined = joinArena(arena)
  assert.is(joined.privacy.element('user:7'), session.privacy.element('user:7'))
  joined.leave()
  session.leave()
  await gov.close()
})

test('a module that fails is told of by the thread', async () => {
  const worker = startThread('/nowhere/not-there', 'test', {})
  const [error] = await once(worker, 'error')
  assert.match(String(error), 'not-there')
})

test('a module that a process cannot be made of ends it', async () => {
  const child = startProcess('/nowhere/not-there')
  assert.equal(await once(child, 'exit'), [1, null])
})

test.run()
