import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Allocation, open } from '../../../lib/index.js'
import { Agent } from '../agents.js'
import { macrotask, refusal, virtual } from '../support.js'

test('a name is the same for all who open the arena: the weight that one gives a tenant holds for the requests of another', async () => {
  const gov = open({ fresh: true, ageing: 0 })
  const pool = gov.pool('a', { capacity: { cpu: 6 }, tenants: { big: { weight: 2 } } })
  const all = pool.tryAllocate({ cpu: 6 }) as Allocation
  const agent = await Agent.thread({ handle: gov.handle })
  const of = (tenant: string) => Array.from({ length: 6 }, () => agent.allocate('a', { cpu: 1 }, { tenant }))
  const tasks = { small: of('small'), big: of('big') }
  await Promise.all([...tasks.small, ...tasks.big].map(task => task.begun))
  const done = { small: 0, big: 0 }
  const six = new Promise<void>(resolve => {
    for (const tenant of ['small', 'big'] as const)
      for (const task of tasks[tenant])
        task.done.then(
          () => {
            done[tenant]++
            if (done.small + done.big === 6) resolve()
          },
          () => {}
        )
  })
  all.release()
  await six
  assert.equal(done, { small: 2, big: 4 })
  await agent.kill()
  await gov.close()
})

test('names that differ in case, accents or length are different tenants', async () => {
  const gov = virtual({ ageing: 0 })
  const pool = gov.pool('a', { capacity: { cpu: 4 } })
  const all = pool.tryAllocate({ cpu: 4 }) as Allocation
  const order: string[] = []
  for (const tenant of ['a', 'a', 'A', 'á', 'aa'])
    pool.allocate({ cpu: 1 }, { tenant }).then(() => order.push(tenant), refusal('ERR_FORELOCK_CLOSED'))
  all.release()
  await macrotask()
  assert.equal(order.sort(), ['A', 'a', 'aa', 'á'])
  await gov.close()
})

test('where the arena has no place for another name a request goes on without it', async () => {
  const gov = virtual({ capacity: { elements: 16 } })
  const bucket = gov.bucket('a', { rate: 1e6, burst: 1e6 })
  const pool = gov.pool('a', { capacity: { cpu: 1 } })
  for (let i = 0; i < 100; i++) {
    assert.is(bucket.tryTake(1, { tenant: `tenant ${i}`, workflow: `workflow ${i}` }).ok, true)
    pool.tryAllocate({ cpu: 1 }, { tenant: `tenant ${i}` })?.release()
  }
  assert.equal(pool.usage().used, { cpu: 0 })
  await gov.close()
})

test.run()
