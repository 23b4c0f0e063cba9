import { once } from 'node:events'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { open, signatureHeaders } from '../../../lib/index.js'
import { isCoded, thrown, virtual } from '../support.js'

const secret = new Uint8Array(32).fill(7)

function message(gov: ReturnType<typeof virtual>, id: string): [string, Record<string, string>] {
  const now = gov.toDate(gov.now()).getTime()
  const body = JSON.stringify({ id, type: 'sale', start: now + 60_000, end: now + 120_000, weight: 2, scope: { workflow: 'checkout' } })
  return [body, { ...signatureHeaders(`msg_${id}`, now, body, secret) }]
}

test('a signed event is accepted once, by the time of the arena, and foresight knows of it', async () => {
  const gov = virtual({ events: { secrets: { shop: secret } } })
  gov.advance(400 * 86_400_000)
  const [body, headers] = message(gov, 'spring')
  const event = gov.events.receive(body, headers)
  assert.equal([event.id, event.key, event.scope], ['spring', 'shop', { workflow: 'checkout' }])
  isCoded(
    thrown(() => gov.events.receive(body, headers)),
    'ERR_FORELOCK_REPLAY'
  )
  assert.is(await gov.foresight.cancel('spring'), true)
  await gov.close()
})

test('one that is not signed, or is old, is refused, and foresight does not know of it', async () => {
  const gov = virtual({ events: { secrets: { shop: secret }, tolerance: 1_000 } })
  const [body, headers] = message(gov, 'spring')
  isCoded(
    thrown(() => gov.events.receive(`${body} `, headers)),
    'ERR_FORELOCK_SIGNATURE'
  )
  gov.advance(2_000)
  isCoded(
    thrown(() => gov.events.receive(body, headers)),
    'ERR_FORELOCK_SIGNATURE'
  )
  assert.is(await gov.foresight.cancel('spring'), false)
  await gov.close()
})

test('a governor without secrets takes no events, and bad options are refused when it is opened', async () => {
  const gov = virtual()
  isCoded(
    thrown(() => gov.events.receive('{}', {})),
    'ERR_FORELOCK_ARGUMENT'
  )
  await gov.close()
  for (const events of [7, {}, { secrets: { a: 'short' } }, { secrets: { shop: secret }, now: Date.now }])
    isCoded(
      thrown(() => virtual({ events: events as never })),
      'ERR_FORELOCK_ARGUMENT'
    )
})

test('secrets can be changed while it is open', async () => {
  const gov = virtual({ events: { secrets: { old: secret } } })
  const [body, headers] = message(gov, 'spring')
  gov.events.all().deleteSecret('old')
  isCoded(
    thrown(() => gov.events.receive(body, headers)),
    'ERR_FORELOCK_SIGNATURE'
  )
  gov.events.all().setSecret('new', secret)
  assert.is(gov.events.receive(body, headers).key, 'new')
  await gov.close()
})

test('an event that foresight cannot take is accepted all the same, with a warning', async () => {
  const gov = virtual({ events: { secrets: { shop: secret } }, capacity: { telemetry: 0 } })
  const warned = once(process, 'warning')
  assert.is(gov.events.receive(...message(gov, 'spring')).id, 'spring')
  assert.is((await warned)[0].code, 'FORELOCK_EVENT')
  await gov.close()
})

test('who closes before foresight knows of an event is not warned', async () => {
  const warned: Error[] = []
  const hear = (warning: Error) => void warned.push(warning)
  process.on('warning', hear)
  const gov = open({ fresh: true, events: { secrets: { shop: secret } } })
  const now = Date.now()
  const body = JSON.stringify({ id: 'spring', type: 'sale', start: now + 60_000 })
  gov.events.receive(body, { ...signatureHeaders('msg', now, body, secret) })
  await gov.close()
  await new Promise(resolve => setImmediate(resolve))
  process.off('warning', hear)
  assert.equal(warned, [])
})

test.run()
