import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type OpenOptions, open, unlink } from '../../lib/index.js'
import { Agent, type AgentRequest } from './web-locks.agents.js'
import { hold, rejection, stateOf, uniqueName } from './web-locks.support.js'

const arena = `web-locks-agents-${process.pid}`

// The same rules for worker threads on the private arena of the process, and for processes on a named one.
for (const [kind, options, start] of [
  ['worker threads', {}, Agent.thread],
  ['processes', { name: arena }, Agent.process]
] as [string, OpenOptions, typeof Agent.thread][]) {
  const test = suite(`Web Locks between ${kind}`)
  const gov = open(options)
  const { locks } = gov
  // To start one takes longer than all of the tests: these serve every test that ends none.
  let a: Agent
  let b: Agent
  let c: Agent

  test.before(async () => {
    ;[a, b, c] = (await Promise.all([1, 2, 3].map(() => start(options)))) as [Agent, Agent, Agent]
  })

  test.after(async () => {
    await Promise.all([a, b, c].map(agent => agent.kill()))
    await gov.close()
    if (options.name !== undefined) unlink(options.name, { force: true })
  })

  test(`${kind}: an exclusive lock keeps the others out until it is released`, async () => {
    const name = uniqueName()
    const theirs = await a.hold(name)
    assert.is(await locks.request(name, { ifAvailable: true }, lock => lock), null)
    const mine = locks.request(name, () => 'mine')
    theirs.release('theirs')
    assert.is((await theirs.resolved).value, 'theirs')
    assert.is(await mine, 'mine')
  })

  test(`${kind}: a shared lock is held in several at once`, async () => {
    const name = uniqueName()
    const theirs = await a.hold(name, { mode: 'shared' })
    assert.is(await locks.request(name, { mode: 'shared' }, lock => lock.mode), 'shared')
    assert.is(await locks.request(name, { ifAvailable: true }, lock => lock), null)
    theirs.release()
    await theirs.resolved
  })

  test(`${kind}: ifAvailable calls back with null there too`, async () => {
    const name = uniqueName()
    const held = await hold(locks, name)
    const theirs = await a.hold(name, { ifAvailable: true })
    assert.is((await theirs.called).lock, null)
    held.release()
    await held.result
  })

  test(`${kind}: requests are granted, and shown by query, in the order in which they were made`, async () => {
    const name = uniqueName()
    const held = await hold(locks, name)
    const order = [a, c, b, c, a, b]
    const requests: AgentRequest[] = []
    for (const each of order) requests.push(await each.request(name))
    const clients = order.map(each => each.client)
    for (const { pending } of [await locks.query(), await b.query()]) {
      assert.equal(
        pending.filter(info => info.name === name).map(info => info.clientId),
        clients
      )
    }
    held.release()
    for (const [i, request] of requests.entries()) {
      await request.called
      const { held, pending } = await stateOf(locks, name)
      assert.equal(
        held.map(info => info.clientId),
        [clients[i]]
      )
      assert.equal(
        pending.map(info => info.clientId),
        clients.slice(i + 1)
      )
      request.release()
    }
  })

  test(`${kind}: each has a client id of its own, the same for all it holds and requests`, async () => {
    const [first, second] = [uniqueName(), uniqueName()]
    assert.is.not(a.client, gov.client)
    await a.hold(first)
    const mine = await hold(locks, second)
    await a.request(second)
    const controller = new AbortController()
    const pending = rejection(locks.request(first, { signal: controller.signal }, () => assert.unreachable()))
    const state = await a.query()
    const clients = (list: typeof state.held, name: string) => list.filter(info => info.name === name).map(info => info.clientId)
    assert.equal(clients(state.held, first), [a.client])
    assert.equal(clients(state.held, second), [gov.client])
    assert.equal(clients(state.pending, first), [gov.client])
    assert.equal(clients(state.pending, second), [a.client])
    controller.abort()
    await pending
    mine.release()
    await mine.result
  })

  test(`${kind}: a steal takes the lock from another, whose request rejects with an AbortError`, async () => {
    const name = uniqueName()
    const theirs = await a.hold(name)
    const behind = await a.request(name)
    const thief = await hold(locks, name, { steal: true })
    assert.is((await theirs.rejected).error, 'AbortError')
    const state = await stateOf(locks, name)
    assert.equal(
      [state.held, state.pending].map(list => list.map(info => info.clientId)),
      [[gov.client], [a.client]]
    )
    thief.release()
    await behind.called
    behind.release()
  })

  test(`${kind}: a steal takes shared locks from several at once`, async () => {
    const name = uniqueName()
    const victims = [await a.hold(name, { mode: 'shared' }), await b.hold(name, { mode: 'shared' })]
    const mine = await hold(locks, name, { mode: 'shared' })
    const stolen = rejection(mine.result)
    const thief = await b.hold(name, { steal: true })
    for (const victim of victims) assert.is((await victim.rejected).error, 'AbortError')
    assert.is(((await stolen) as Error).name, 'AbortError')
    thief.release()
    await thief.resolved
  })

  test(`${kind}: a lock that is stolen before its environment could call back rejects the request all the same`, async () => {
    const name = uniqueName()
    const theirs = await a.hold(name)
    let called = false
    const mine = locks.request(name, () => {
      called = true
      return new Promise(() => {})
    })
    const stolen = rejection(mine)
    const client = () => gov.inspect(name)[0]?.holders[0]?.client
    // This event loop is blocked meanwhile: it learns of the grant and of its loss at once.
    theirs.release()
    while (client() !== gov.client);
    const thief = b.request(name, { steal: true })
    while (client() !== b.client);
    assert.not(called)
    assert.is(((await stolen) as Error).name, 'AbortError')
    ;(await thief).release()
  })

  test(`${kind}: the locks of one that ends are released`, async () => {
    const names = [uniqueName(), uniqueName()]
    const other = await start(options)
    await other.hold(names[0] as string)
    await other.hold(names[1] as string, { mode: 'shared' })
    const waiting = names.map(name => locks.request(name, () => 'granted'))
    await other.kill()
    assert.equal(await Promise.all(waiting), ['granted', 'granted'])
  })

  test(`${kind}: the pending requests of one that ends are dropped`, async () => {
    const name = uniqueName()
    const other = await start(options)
    const held = await hold(locks, name)
    await other.request(name)
    const behind = await b.request(name)
    await other.kill()
    held.release()
    assert.is((await behind.called).lock?.name, name)
    const state = await stateOf(locks, name)
    assert.equal(
      [state.held, state.pending].map(list => list.map(info => info.clientId)),
      [[b.client], []]
    )
    behind.release()
    await behind.resolved
  })

  test(`${kind}: names that are not well-formed UTF-16 mean the same everywhere`, async () => {
    const theirs = await a.hold('\uD800')
    assert.is(await locks.request('\uD800', { ifAvailable: true }, lock => lock), null)
    assert.is(await locks.request('\uFFFD', { ifAvailable: true }, lock => lock?.name), '\uFFFD')
    theirs.release()
    await theirs.resolved
  })

  test(`${kind}: only one at a time is inside while all keep asking`, async () => {
    const name = uniqueName()
    const others = [a, b]
    const inside = new Set<unknown>()
    const theirs = others.map(async other => {
      for (let i = 0; i < 20; i++) {
        const request = await other.hold(name)
        assert.is(inside.size, 0)
        inside.add(other)
        await other.query()
        inside.delete(other)
        request.release()
      }
    })
    const mine = Array.from({ length: 20 }, () =>
      locks.request(name, async () => {
        assert.is(inside.size, 0)
        inside.add(gov)
        await locks.query()
        inside.delete(gov)
      })
    )
    await Promise.all([...theirs, ...mine])
  })

  test.run()
}
