import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signatureHeaders } from '../../../lib/events/signature.js'
import { isCoded, thrown } from '../support.js'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

test('signs as the reference implementation of Standard Webhooks does', () => {
  const headers = signatureHeaders('msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_999, '{"test": 2432232314}', SECRET)
  assert.equal(headers, {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
  })
})

test('signs with several secrets at once', () => {
  const { 'webhook-signature': line } = signatureHeaders('m', 0, '', SECRET, new Uint8Array(24))
  assert.match(line, /^v1,\S{44} v1,\S{44}$/)
})

test('refuses what cannot be signed', () => {
  for (const [id, time, secret] of [
    ['a.b', 0, SECRET],
    ['', 0, SECRET],
    ['a', -1, SECRET],
    ['a', Number.NaN, SECRET],
    ['a', 0, 'whsec_????'],
    ['a', 0, undefined]
  ] as [string, number, string][]) {
    isCoded(
      thrown(() => signatureHeaders(id, time, '', secret)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  isCoded(
    thrown(() => signatureHeaders('a', 0, '')),
    'ERR_FORELOCK_ARGUMENT'
  )
})

test.run()
