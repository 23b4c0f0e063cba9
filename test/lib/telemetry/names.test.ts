import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { decodeRecord, RECORD_BYTES } from '../../../lib/index.js'
import { joinArena } from '../../../lib/open.js'
import { RecordNames } from '../../../lib/telemetry/names.js'
import { virtual } from '../support.js'

test('numbers of records are told as names, and elements by what they are to be called', async () => {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  let asked = 0
  const names = new RecordNames(session, place => `${place}!${++asked}`)
  gov.telemetry.attach()
  gov.lock('a', { workflow: 'w' }).tryAcquire()
  const buffer = new Uint8Array(RECORD_BYTES)
  gov.telemetry.drain(buffer)
  const record = decodeRecord(buffer)
  assert.equal([names.element(record), names.element(record), names.name(record.workflow)], ['a!1', 'a!1', 'w'])
  assert.equal([names.name(0), names.name(999_999)], [undefined, undefined])
  names.renew()
  assert.is(names.element(record), 'a!2')
  session.leave()
  await gov.close()
})

test('a hint stands for one name of one kind, and for no other after all are called otherwise', async () => {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  const names = new RecordNames(session, place => (place === 'own' ? '' : place))
  gov.telemetry.attach()
  for (const name of ['a', 'b', 'own']) gov.lock(name, { workflow: 'w' }).tryAcquire()
  const buffer = new Uint8Array(3 * RECORD_BYTES)
  gov.telemetry.drain(buffer)
  const records = [0, 1, 2].map(i => decodeRecord(buffer, i * RECORD_BYTES))
  const hints = () =>
    records.map(({ element, generation }) => {
      const hint = names.hint(names.number(element, generation), 0)
      assert.is(names.hintAt(element, 0), hint)
      return hint
    })
  const workflow = () => names.numberOf(records[0]?.workflow as number)
  assert.is(names.hintAt(2 ** 31, 0), 0, 'there is no such place')
  const before = [...hints(), names.hint(workflow())]
  assert.equal([...hints(), names.hint(workflow())], before)
  assert.equal([before[2], names.nameOf(workflow()), names.nameOf(0)], [0, 'w', undefined])
  const [a, b, , w] = before
  assert.is(new Set([a, b, w, names.hint(workflow(), 1), 0]).size, 5)
  names.renew()
  for (const hint of hints()) assert.ok(hint === 0 || !before.includes(hint))
  assert.not.ok(before.includes(names.hint(workflow())))
  session.leave()
  await gov.close()
})

test('of many names each keeps its own number', async () => {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  const names = new RecordNames(session, place => place)
  const ids = Array.from({ length: 3_000 }, (_, i) => session.binding.intern(`w${i}`))
  const told = () => ids.map(id => names.name(id))
  assert.equal([...told().slice(0, 2), ...told().slice(-1)], ['w0', 'w1', 'w2999'])
  assert.is(new Set(told()).size, ids.length)
  assert.is(new Set(ids.map(id => names.numberOf(id))).size, ids.length)
  session.leave()
  await gov.close()
})

test('a place that is not taken has no name', async () => {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  assert.is(new RecordNames(session, place => place).element({ element: 1_000, generation: 3 }), '')
  session.leave()
  await gov.close()
})

test.run()
