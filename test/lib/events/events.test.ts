import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Events, type EventsOptions } from '../../../lib/events/events.js'
import { signatureHeaders } from '../../../lib/events/signature.js'
import { isForelockError } from '../../../lib/index.js'
import { isCoded, thrown } from '../support.js'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const OTHER = new Uint8Array(32).fill(7)
const NOW = Date.UTC(2026, 0, 15)
const BODY = JSON.stringify({ id: 'e1', type: 'campaign', start: NOW + 3_600_000, end: NOW + 7_200_000, weight: 1.5 })

function receiver(options: Partial<EventsOptions> = {}) {
  const clock = { now: NOW }
  const events = new Events({ secrets: { first: SECRET }, now: () => clock.now, ...options })
  /** Signs as a sender does at that time. */
  const send = (id: string, { body = BODY, at = clock.now, secrets = [SECRET] as (string | Uint8Array)[] } = {}) =>
    events.receive(body, { ...signatureHeaders(id, at, body, ...secrets) })
  return { clock, events, send }
}

function refusedAs(reason: string, call: () => unknown): void {
  const error = thrown(call)
  isCoded(error, 'ERR_FORELOCK_SIGNATURE')
  assert.is(error.reason, reason)
}

test('an event that is signed is accepted, as text or bytes, whatever the headers are', () => {
  const { events, send } = receiver()
  const accepted = send('m1')
  assert.equal(accepted, {
    id: 'e1',
    type: 'campaign',
    start: NOW + 3_600_000,
    end: NOW + 7_200_000,
    weight: 1.5,
    scope: {},
    key: 'first',
    message: 'm1',
    received: NOW
  })
  const headers = (id: string) => signatureHeaders(id, NOW, BODY, SECRET)
  assert.is(events.receive(Buffer.from(BODY), { ...headers('m2') }).message, 'm2')
  assert.is(events.receive(BODY, new Headers({ ...headers('m3') })).message, 'm3')
  const upper = Object.fromEntries(Object.entries(headers('m4')).map(([name, value]) => [name.toUpperCase(), value]))
  assert.is(events.receive(BODY, upper).message, 'm4')
})

test('takes what comes over HTTP, as the request has it', async () => {
  const { events } = receiver()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      try {
        response.end(events.receive(Buffer.concat(chunks), request.headers).type)
      } catch (error) {
        response.writeHead(isForelockError(error, 'ERR_FORELOCK_SIGNATURE') ? 401 : 400).end()
      }
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  try {
    const { port } = server.address() as AddressInfo
    const post = (headers: object) => fetch(`http://127.0.0.1:${port}`, { method: 'POST', body: BODY, headers: { ...headers } })
    const signed = signatureHeaders('m1', NOW, BODY, SECRET)
    assert.is(await (await post(signed)).text(), 'campaign')
    assert.is((await post(signed)).status, 400)
    assert.is((await post({ ...signed, 'webhook-id': 'm2' })).status, 401)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test('what is changed after signing is refused: body, id, time, or the secret', () => {
  const { events } = receiver()
  const headers = { ...signatureHeaders('m1', NOW, BODY, SECRET) }
  refusedAs('mismatch', () => events.receive(BODY.replace('1.5', '1.6'), headers))
  refusedAs('mismatch', () => events.receive(BODY, { ...headers, 'webhook-id': 'm2' }))
  refusedAs('mismatch', () => events.receive(BODY, { ...headers, 'webhook-timestamp': String(NOW / 1000 + 1) }))
  refusedAs('mismatch', () => events.receive(BODY, { ...signatureHeaders('m1', NOW, BODY, OTHER) }))
  assert.is(events.receive(BODY, headers).message, 'm1')
})

test('a header that is missing, came twice or is of no form is refused', () => {
  const { events } = receiver()
  const headers = { ...signatureHeaders('m1', NOW, BODY, SECRET) }
  for (const name of Object.keys(headers)) {
    refusedAs('missing', () => events.receive(BODY, { ...headers, [name]: undefined }))
    refusedAs('malformed', () => events.receive(BODY, { ...headers, [name]: [headers['webhook-id'], 'x'] }))
    refusedAs('malformed', () => events.receive(BODY, { ...headers, [name.toUpperCase()]: 'x' }))
  }
  const broken = {
    'webhook-id': ['', 'a b', 'a.b', 'é', 'x'.repeat(300)],
    'webhook-timestamp': ['', '-1', '1e9', '12.5', ' 12', '9'.repeat(40)],
    'webhook-signature': ['', 'v1', 'v1,', 'v2,AAAA', 'v1,????', 'v1,AAAA', `v1,${'A'.repeat(9_000)}`, 'v1,a '.repeat(50)]
  }
  for (const [name, values] of Object.entries(broken)) {
    for (const value of values) refusedAs('malformed', () => events.receive(BODY, { ...headers, [name]: value }))
  }
})

test('a message is fresh for the tolerance, before and after', () => {
  const { send } = receiver()
  send('early', { at: NOW + 300_000 })
  send('late', { at: NOW - 300_000 })
  refusedAs('timestamp', () => send('too-early', { at: NOW + 301_000 }))
  assert.match(thrown(() => send('too-early', { at: NOW + 301_000 })).message, 'signed 301 s ahead of the clock here')
  assert.match(thrown(() => send('too-late', { at: NOW - 301_000 })).message, 'signed 301 s ago by the clock here')
  refusedAs('timestamp', () => send('too-late', { at: NOW - 301_000 }))
})

test('a message is accepted once, for as long as its signature is fresh', () => {
  const { clock, events } = receiver({ ids: 3 })
  const headers = { ...signatureHeaders('m1', NOW + 300_000, BODY, SECRET) }
  events.receive(BODY, headers)
  for (; clock.now <= NOW + 600_000; clock.now += 50_000) {
    const error = thrown(() => events.receive(BODY, headers))
    isCoded(error, 'ERR_FORELOCK_REPLAY')
    assert.is(error.id, 'm1')
  }
  refusedAs('timestamp', () => events.receive(BODY, headers))
})

test('when there is no room for ids nothing is accepted, until some are out of the tolerance', () => {
  const { clock, send, events } = receiver({ ids: 100 })
  for (let i = 0; i < 100; i++) send(`m${i}`)
  clock.now += 300_000
  const error = thrown(() => send('one-more'))
  isCoded(error, 'ERR_FORELOCK_CAPACITY')
  assert.is(error.option, 'events.ids')
  isCoded(
    thrown(() => send('m0', { at: NOW })),
    'ERR_FORELOCK_REPLAY'
  )
  clock.now += 4_000
  assert.is(send('one-more').message, 'one-more')
  // Back within the tolerance of what was forgotten.
  clock.now = NOW
  refusedAs('timestamp', () => events.receive(BODY, { ...signatureHeaders('m0', NOW, BODY, SECRET) }))
})

test('of any messages, in any order and however the clock jumps, none is accepted twice', () => {
  let state = 1
  const random = (below: number) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
  const { clock, events } = receiver({ ids: 20 })
  const sent = Array.from({ length: 60 }, (_, i) => ({ ...signatureHeaders(`m${i}`, NOW + 1000 * random(2_000), BODY, SECRET) }))
  const accepted = new Set<string>()
  for (let i = 0; i < 20_000; i++) {
    clock.now = NOW + 1000 * random(2_000)
    try {
      const { message } = events.receive(BODY, sent[random(60)] as (typeof sent)[number])
      assert.not.ok(accepted.has(message), `${message} again`)
      accepted.add(message)
    } catch (error) {
      assert.match((error as { code: string }).code, /SIGNATURE|REPLAY|CAPACITY/)
    }
  }
  assert.ok(accepted.size > 20)
})

test('ids outlive a restart, and a smaller memory forgets none of them either', () => {
  const { events, send } = receiver()
  const headers = ['m1', 'm2', 'm3'].map(id => ({ ...signatureHeaders(id, NOW, BODY, SECRET) }))
  for (const one of headers) events.receive(BODY, one)
  for (const ids of [10, 1]) {
    const next = receiver({ ids })
    next.events.load(events.save())
    for (const one of headers) assert.match(thrown(() => next.events.receive(BODY, one)).code, /REPLAY|SIGNATURE/)
  }
  const saved = events.save()
  saved[30] = (saved[30] as number) ^ 1
  isCoded(
    thrown(() => events.load(saved)),
    'ERR_FORELOCK_CORRUPT'
  )
  send('m4')
})

test('one secret takes the place of another while both are in use', () => {
  const { events, send } = receiver()
  events.setSecret('second', OTHER)
  assert.is(send('m1').key, 'first')
  assert.is(send('m2', { secrets: [OTHER] }).key, 'second')
  assert.is(send('m3', { secrets: [OTHER, SECRET] }).key, 'first')
  assert.is(events.deleteSecret('first'), true)
  assert.is(events.deleteSecret('first'), false)
  refusedAs('mismatch', () => send('m4'))
  assert.is(send('m5', { secrets: [SECRET, OTHER] }).key, 'second')
})

test('what is signed and is no event is refused, and may be sent again once it is one', () => {
  const { send } = receiver({ bytes: 1_000 })
  const good = { id: 'e', type: 't', start: 5 }
  const bad: [string, unknown][] = [
    ['event', 'no JSON'],
    ['event', []],
    ['event', null],
    ['id', { ...good, id: undefined }],
    ['id', { ...good, id: '' }],
    ['type', { ...good, type: 7 }],
    ['type', { ...good, type: 'x'.repeat(257) }],
    ['start', { ...good, start: '2026-01-15T10:00' }],
    ['start', { ...good, start: '2026-99-15T10:00:00Z' }],
    ['start', { ...good, start: 1e300 }],
    ['end', { ...good, end: 4 }],
    ['weight', { ...good, weight: -1 }],
    ['weight', { ...good, weight: '2' }],
    ['value', { ...good, value: 1e13 }],
    ['wait', { ...good, wait: 1 }],
    ['__proto__', `{"__proto__":{"weight":2},"id":"e","type":"t","start":5}`],
    ['scope', { ...good, scope: 'acme' }],
    ['user', { ...good, scope: { user: 'x' } }],
    ['scope.tenant', { ...good, scope: { tenant: 1 } }],
    ['event', { ...good, type: 'x'.repeat(2_000) }]
  ]
  for (const [field, event] of bad) {
    const error = thrown(() => send('m1', { body: typeof event === 'string' ? event : JSON.stringify(event) }))
    isCoded(error, 'ERR_FORELOCK_SCHEMA')
    assert.is(error.field, field, JSON.stringify(event))
  }
  const whole = { ...good, start: '2026-01-15T10:00:00+01:00', value: 3, scope: { workflow: 'w', tenant: 'acme' } }
  const accepted = send('m1', { body: JSON.stringify(whole) })
  assert.is(accepted.start, Date.UTC(2026, 0, 15, 9))
  assert.is(accepted.end, accepted.start)
  assert.equal(accepted.scope, { workflow: 'w', tenant: 'acme' })
})

test('bytes that are no UTF-8 are refused though they are signed', () => {
  const { events } = receiver()
  const body = Uint8Array.of(0x22, 0xff, 0x22)
  isCoded(
    thrown(() => events.receive(body, { ...signatureHeaders('m1', NOW, body, SECRET) })),
    'ERR_FORELOCK_SCHEMA'
  )
})

test('refuses options and calls that are none, and keeps secrets out of errors', () => {
  const secrets = { a: SECRET }
  const wrong: unknown[] = [
    undefined,
    {},
    { secrets: {} },
    { secrets: { a: 'whsec_short' } },
    { secrets: { a: 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' } },
    { secrets: { a: new Uint8Array(8) } },
    { secrets, tolerance: -1 },
    { secrets, ids: 0 },
    { secrets, bytes: 1e12 },
    { secrets, now: 5 },
    { secrets, window: 5 }
  ]
  for (const options of wrong) {
    const error = thrown(() => new Events(options as EventsOptions))
    isCoded(error, 'ERR_FORELOCK_ARGUMENT')
    assert.not.match(error.message, 'short')
  }
  const { events } = receiver()
  for (const [body, headers] of [
    [{}, {}],
    [undefined, {}],
    ['', null],
    ['', 5]
  ] as never[][]) {
    isCoded(
      thrown(() => events.receive(body as never, headers as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test.run()
