import { once } from 'node:events'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { rateLimitHeaders } from '../../lib/index.js'
import { isCoded, thrown, virtual } from './support.js'

const test = suite('rate limit headers')
const policy = { name: 'default', rate: 500, per: 1000, burst: 100 }

test('a granted request has the policy and what is left', () => {
  assert.equal(rateLimitHeaders({ ok: true, waitMs: 0, remaining: 99 }, policy), {
    'ratelimit-policy': '"default";q=100;w=1',
    ratelimit: '"default";r=99'
  })
})

test('with a time until the bucket is full, that is t', () => {
  const { ratelimit } = rateLimitHeaders({ ok: true, waitMs: 0, remaining: 3, limit: 100, resetMs: 61_200 }, policy)
  assert.is(ratelimit, '"default";r=3;t=62')
})

test('a policy whose option is misspelt is refused, and a bucket is a policy', () => {
  const state = { ok: true, waitMs: 0, remaining: 9 }
  isCoded(
    thrown(() => rateLimitHeaders(state, { ...policy, brust: 5 } as never)),
    'ERR_FORELOCK_ARGUMENT'
  )
  const gov = virtual()
  const bucket = gov.bucket('default', { rate: 500, per: 1000, burst: 100 })
  const family = gov.buckets('default', { rate: 500, per: 1000, burst: 100 })
  for (const own of [bucket, family]) assert.equal(rateLimitHeaders(state, own), rateLimitHeaders(state, policy))
  assert.is(rateLimitHeaders(bucket.peek(), bucket).ratelimit, '"default";r=100;t=0')
})

test('a refused request says when to come back, as t and as Retry-After, rounded up so that it is not too early', () => {
  const state = { ok: false, waitMs: 1200.000001, remaining: 0, limit: 100, resetMs: 90_000 }
  assert.equal(rateLimitHeaders(state, policy), {
    'ratelimit-policy': '"default";q=100;w=1',
    ratelimit: '"default";r=0;t=2',
    'retry-after': '2'
  })
  assert.is(rateLimitHeaders({ ok: false, waitMs: 0.000001, remaining: 0 }, policy)['retry-after'], '1')
  assert.is(rateLimitHeaders({ ok: false, waitMs: 0, remaining: 0 }, policy)['retry-after'], '1')
})

test('the window is that in which an empty bucket fills, rounded up', () => {
  const of = (rate: number, per: number, burst: number) =>
    rateLimitHeaders({ ok: true, waitMs: 0, remaining: 0 }, { name: 'p', rate, per, burst })['ratelimit-policy']
  assert.is(of(1, 86_400_000, 1), '"p";q=1;w=86400')
  assert.is(of(100, 60_000, 100), '"p";q=100;w=60')
  assert.is(of(3, 1000, 10), '"p";q=10;w=4')
  assert.is(of(1e6, 1000, 10), '"p";q=10;w=1')
})

test('numbers are whole ones that a structured field can hold, whatever they were', () => {
  const { ratelimit } = rateLimitHeaders({ ok: true, waitMs: 0, remaining: 1.9, resetMs: Infinity }, policy)
  assert.is(ratelimit, '"default";r=1;t=999999999999999')
  const huge = rateLimitHeaders({ ok: true, waitMs: 0, remaining: 1e300, limit: 1e300 }, policy)
  assert.is(huge['ratelimit-policy'], '"default";q=999999999999999;w=999999999999999')
  assert.is(huge.ratelimit, '"default";r=999999999999999')
})

test('the name is a string of structured fields: quotes and backslashes are escaped, all beyond ASCII is refused', () => {
  const named = (name: string) => rateLimitHeaders({ ok: true, waitMs: 0, remaining: 1 }, { ...policy, name }).ratelimit
  assert.is(named('a "b" \\c'), '"a \\"b\\" \\\\c";r=1')
  assert.is(named(''), '"";r=1')
  for (const bad of ['é', 'a\nb', 'a\r\nset-cookie: x', '\0', '\x7f'])
    isCoded(
      thrown(() => named(bad)),
      'ERR_FORELOCK_ARGUMENT'
    )
})

test('nonsense is an ArgumentError that names it', () => {
  const good = { ok: true, waitMs: 0, remaining: 1 }
  for (const bad of [undefined, null, 1, 'a']) {
    isCoded(
      thrown(() => rateLimitHeaders(bad as never, policy)),
      'ERR_FORELOCK_ARGUMENT'
    )
    isCoded(
      thrown(() => rateLimitHeaders(good, bad as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  for (const option of ['waitMs', 'remaining', 'limit', 'resetMs']) {
    for (const bad of [null, -1, Number.NaN, '1', 1n, {}]) {
      const error = thrown(() => rateLimitHeaders({ ...good, [option]: bad } as never, policy))
      isCoded(error, 'ERR_FORELOCK_ARGUMENT')
      assert.is(error.option, option)
    }
  }
  isCoded(
    thrown(() => rateLimitHeaders({ ...good, ok: 1 } as never, policy)),
    'ERR_FORELOCK_ARGUMENT'
  )
  for (const bad of [{ rate: 0 }, { per: -1 }, { burst: 0 }, { name: 1 }]) {
    isCoded(
      thrown(() => rateLimitHeaders(good, { ...policy, ...bad } as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test('a client that does as it is told is granted', () => {
  const gov = virtual()
  const users = gov.buckets('users', { rate: 1, per: 3000, burst: 2, keys: 10 })
  for (let i = 0; i < 50; i++) {
    while (users.tryTake('a').ok);
    const headers = rateLimitHeaders(users.peek('a'), { name: 'users', rate: users.rate, per: users.per, burst: users.burst })
    gov.advance(Number(headers['retry-after']) * 1000)
    assert.is(users.tryTake('a').ok, true)
    gov.advance(i * 17)
  }
})

test('a server of Node sends them as they are, and so does fetch: their type is one of headers there, too', async () => {
  const headers = rateLimitHeaders({ ok: false, waitMs: 1200, remaining: 0 }, policy)
  assert.is(new Headers(headers).get('retry-after'), '2')
  const server = createServer((_, response) => response.writeHead(429, headers).end())
  await once(server.listen(0), 'listening')
  const request = get({ port: (server.address() as AddressInfo).port, agent: false })
  const [response] = await once(request, 'response')
  assert.equal([response.statusCode, response.headers.ratelimit, response.headers['retry-after']], [429, '"default";r=0;t=2', '2'])
  response.resume()
  await once(server.close(), 'close')
})

test.run()
