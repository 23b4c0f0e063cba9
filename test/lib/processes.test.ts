import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Governor, open, unlink } from '../../lib/index.js'
import { Agent } from './agents.js'
import { rejection, thrown } from './support.js'

const arena = `test-processes-${process.pid}`
const index = new URL('../../lib/index.ts', import.meta.url).href

interface World {
  gov: Governor
  agents: Agent[]
}

for (const kind of ['process', 'thread'] as const) {
  const test = suite<World>(`another ${kind}`, { gov: undefined as never, agents: [] })
  const another = async ({ agents, gov }: World) => {
    const agent = await (kind === 'process' ? Agent.process({ name: gov.name }) : Agent.thread({ name: gov.name }))
    agents.push(agent)
    return agent
  }

  test.before.each(world => {
    world.gov = open({ name: arena, autoEnclose: false })
    world.agents = []
  })
  test.after.each(async ({ gov, agents }) => {
    for (const agent of agents) await agent.kill()
    await gov.close()
    unlink(arena, { force: true })
  })

  test('shares the locks of the arena, and has an id of its own', async world => {
    const agent = await another(world)
    assert.is.not(agent.client, world.gov.client)
    const held = agent.acquire('a')
    const { token } = await held.done
    assert.is(world.gov.lock('a').tryAcquire(), null)
    assert.is(world.gov.inspect('a')[0]?.holders[0]?.client, agent.client)
    assert.is(await agent.release(held).done, true)
    const mine = world.gov.lock('a').tryAcquire()!
    assert.ok(mine.token > token)
    assert.is(await agent.tryAcquire('a').done, null)
    mine.release()
  })

  test('is handed the lock it waits for, and hands it back', async world => {
    const agent = await another(world)
    const lock = world.gov.lock('a')
    let last = 0n
    for (let round = 0; round < 50; round++) {
      const grant = await lock.acquire()
      assert.ok(grant.token > last)
      const waiting = agent.acquire('a')
      await waiting.begun
      grant.release()
      const theirs = await waiting.done
      assert.ok(theirs.token > grant.token)
      last = theirs.token
      const mine = lock.acquire()
      agent.release(waiting)
      ;(await mine).release()
    }
    const counters = world.gov.counters()
    for (const name of ['takeovers', 'rescans', 'probeHandoffs']) assert.is(counters[name], 0, name)
  })

  test('is served before a lower tier of ours, and after an earlier one of its own', async world => {
    const agent = await another(world)
    const lock = world.gov.lock('a')
    const held = await lock.acquire()
    const order: string[] = []
    const low = lock.acquire({ tier: 'background' }).then(grant => {
      order.push('low')
      grant.release()
    })
    const first = lock.acquire({ tier: 'interactive' }).then(grant => {
      order.push('first')
      grant.release()
    })
    const second = agent.acquire('a', { tier: 'interactive' })
    await second.begun
    held.release()
    await second.done
    order.push('second')
    agent.release(second)
    await Promise.all([low, first])
    assert.equal(order, ['first', 'second', 'low'])
  })

  test('that ends without farewell while it holds the lock passes it on, and the next is told', async world => {
    const agent = await another(world)
    const { token } = await agent.acquire('a').done
    const lock = world.gov.lock('a')
    const waiting = lock.acquire()
    await agent.kill()
    const grant = await waiting
    assert.is(grant.ownerDied, true)
    assert.ok(grant.token > token)
    grant.release()
    const next = await lock.acquire()
    assert.is(next.ownerDied, false)
    next.release()
  })

  test('that ends without farewell while it waits or shares is forgotten', async world => {
    const agent = await another(world)
    const lock = world.gov.lock('a')
    const shared = await lock.acquire({ mode: 'shared' })
    await agent.acquire('a', { mode: 'shared' }).done
    const theirs = agent.acquire('a')
    await theirs.begun
    const mine = lock.acquire()
    await agent.kill()
    shared.release()
    ;(await mine).release()
    assert.equal(world.gov.inspect('a'), [])
  })

  test('that closes its governor passes on what it holds', async world => {
    const agent = await another(world)
    await agent.acquire('a').done
    const waiting = world.gov.lock('a').acquire()
    await agent.close().done
    assert.is((await waiting).ownerDied, true)
  })

  test('loses its lock at the end of its ttl, or to a thief, and is told', async world => {
    const agent = await another(world)
    const held = agent.acquire('a', { ttl: 50 })
    await held.done
    const lost = agent.lost(held)
    const mine = await world.gov.lock('a').acquire()
    assert.is(await lost.done, 'ERR_FORELOCK_TTL')
    assert.is(await agent.release(held).done, false)
    mine.release()

    const again = agent.acquire('a')
    await again.done
    const stolen = agent.lost(again)
    await stolen.begun
    const thief = await world.gov.lock('a').acquire({ steal: true })
    assert.is(await stolen.done, 'ERR_FORELOCK_STOLEN')
    assert.is(await agent.release(again).done, false)
    assert.is(thief.release(), true)
  })

  test('and we in a cycle of waits: one is refused, the other goes on', async world => {
    const agent = await another(world)
    const a = world.gov.lock('a').tryAcquire()!
    const b = agent.acquire('b')
    await b.done
    const mine = world.gov.lock('b').acquire({ within: a })
    const outcome = mine.then(
      grant => grant,
      error => error
    )
    const theirs = agent.acquireWithin(b, 'a')
    assert.is(await rejection(theirs.done), 'ERR_FORELOCK_DEADLOCK')
    agent.release(b)
    const grant = await outcome
    assert.is(grant.name, 'b')
    grant.release()
    a.release()
  })

  test('and we take the same locks in other orders, all or nothing, without harm', async world => {
    const agent = await another(world)
    for (let round = 0; round < 20; round++) {
      const theirs = agent.acquireAll('a', 'b', 'c')
      const released = theirs.done.then(() => agent.release(theirs).done)
      const set = await world.gov.acquireAll(['c', 'b', 'a'].map(name => world.gov.lock(name)))
      set.release()
      await released
    }
  })

  test('keeps an arena in use until it is gone', async world => {
    const agent = await another(world)
    await world.gov.close()
    assert.is(thrown(() => unlink(arena)).code, 'ERR_FORELOCK_IN_USE')
    await agent.kill()
    assert.is(unlink(arena), true)
    world.gov = open({ name: arena })
  })

  test.run()
}

const test = suite('the process')

/** Runs a program with lib/index.ts as `forelock`; resolves when it has ended. */
async function program(code: string): Promise<{ code: number | null; signal: string | null; output: string }> {
  const source = `import * as forelock from ${JSON.stringify(index)}; ${code}`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  const [exitCode, signal] = await once(child, 'close')
  return { code: exitCode, signal, output }
}

test('ends by itself with an open governor, a held lock and a watched signal', async () => {
  const { code } = await program("const gov = forelock.open(); const grant = gov.lock('a').tryAcquire(); grant.signal.onabort = () => {}")
  assert.is(code, 0)
})

test('stays while something waits', async () => {
  const { code, output } = await program(`
    const gov = forelock.open()
    const lock = gov.lock('a')
    const held = lock.tryAcquire()
    lock.acquire({ waitTimeout: 100 }).catch(error => console.log(error.code))`)
  assert.is(code, 0)
  assert.match(output, 'ERR_FORELOCK_TIMEOUT')
})

test('loads nothing native at import', async () => {
  const { output } = await program(`
    const { readFileSync } = await import('node:fs')
    console.log(readFileSync('/proc/self/maps', 'utf8').includes('forelock.node') || readFileSync('/proc/self/maps', 'utf8').includes('forelock.glibc.node'))
    forelock.open()
    console.log(/forelock[^/]*\\.node/.test(readFileSync('/proc/self/maps', 'utf8')))`)
  assert.equal(output.trim().split('\n'), ['false', 'true'])
})

test('exits in the middle of waits, holds and settlements without a crash', async () => {
  for (const end of ['process.exit(0)', 'throw new Error("x")', "process.kill(process.pid, 'SIGKILL')"]) {
    const { code, signal } = await program(`
      process.on('uncaughtException', () => process.exit(0))
      const gov = forelock.open()
      const lock = gov.lock('a')
      const held = lock.tryAcquire()
      for (let i = 0; i < 100; i++) lock.acquire().then(grant => { if (i === 50) { ${end} }; grant.release() })
      held.release()`)
    assert.ok(code === 0 || signal === 'SIGKILL', `${end}: ${code} ${signal}`)
  }
})

test('lets threads end while they hold and wait, and nothing is left of them', async () => {
  const gov = open({ fresh: true })
  const held = gov.lock('a').tryAcquire()!
  const agents = await Promise.all(Array.from({ length: 4 }, () => Agent.thread({ handle: gov.handle })))
  for (const [i, agent] of agents.entries()) {
    await agent.acquire(`b${i}`).done
    await agent.acquire('a').begun
  }
  await Promise.all(agents.map(agent => agent.kill()))
  held.release()
  for (const name of ['a', 'b0', 'b1', 'b2', 'b3']) (await gov.lock(name).acquire()).release()
  assert.equal(gov.inspect(), [])
  await gov.close()
})

test.run()
