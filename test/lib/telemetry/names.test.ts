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

test('a place that is not taken has no name', async () => {
  const gov = virtual()
  const session = joinArena({ handle: gov.handle })
  assert.is(new RecordNames(session, place => place).element({ element: 1_000, generation: 3 }), '')
  session.leave()
  await gov.close()
})

test.run()
