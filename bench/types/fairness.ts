import type * as Forelock from '../../lib/index.js'
import { load } from '../drivers/forelock.js'
import type { Kind } from './kind.js'

/** The example of Ghodsi et al. 2011, section 4.1: 9 CPUs and 18 GB; a task of A needs 1 and 4, one of B 3 and 1. */
const MACHINE = { cpu: 9, memory: 18 }
const TASKS = { A: { cpu: 1, memory: 4 }, B: { cpu: 3, memory: 1 } }
const BACKLOG = 64
const STEPS = 2_000

type Tenant = keyof typeof TASKS
type Running = { tenant: Tenant; allocation: Forelock.Allocation }
const TENANTS: readonly Tenant[] = ['A', 'B']

/** Of one task, the part of what there is of the dimension it needs the most of. */
const dominantShare = (tenant: Tenant): number => Math.max(...(['cpu', 'memory'] as const).map(name => TASKS[tenant][name] / MACHINE[name]))

/** Tasks of each tenant by dominant resource fairness, fractions allowed: weighted dominant shares alike, grown until a dimension is full. */
function fairTasks(weights: Record<Tenant, number>, machines: number): Record<Tenant, number> {
  const perLevel = (tenant: Tenant) => weights[tenant] / dominantShare(tenant)
  const level = Math.min(
    ...(['cpu', 'memory'] as const).map(
      name => (machines * MACHINE[name]) / TENANTS.reduce((sum, tenant) => sum + perLevel(tenant) * TASKS[tenant][name], 0)
    )
  )
  return { A: level * perLevel('A'), B: level * perLevel('B') }
}

/** Jain's index of the weighted dominant shares: 1 when they are alike. */
function jain(tasks: Record<Tenant, number>, weights: Record<Tenant, number>): number {
  const shares = TENANTS.map(tenant => (tasks[tenant] * dominantShare(tenant)) / weights[tenant])
  const sum = shares.reduce((a, b) => a + b, 0)
  return sum ** 2 / (shares.length * shares.reduce((a, b) => a + b * b, 0))
}

/**
 * By how many tasks the tenants of the example are off what the paper says: at once, when all wait and the pool comes free (`value`), and on
 * average afterwards, when tasks of equal length end one by one and others take their place (`later`). One tier, always a backlog, no ageing;
 * `machines` times what the example has, with the weights `a` and `b`.
 */
export const fairness: Kind = async ({ job }) => {
  const { open } = await load(job.setting)
  const machines = Number(job.params.machines)
  const capacity = { cpu: machines * MACHINE.cpu, memory: machines * MACHINE.memory }
  const weights = { A: Number(job.params.a), B: Number(job.params.b) }
  const gov = open({ name: 'bench', dir: job.setting.folder, ageing: 0 })
  const tenants = { A: { weight: weights.A }, B: { weight: weights.B } }
  const pool = gov.pool('pool', { capacity, tenants })
  const running: Running[] = []
  const request = (tenant: Tenant) =>
    void pool.allocate(TASKS[tenant], { tenant }).then(
      allocation => running.push({ tenant, allocation }),
      () => {} // of those that still wait when the governor closes
    )
  const settled = () => new Promise(resolve => setImmediate(resolve))
  const tasksOf = () => ({
    A: running.filter(({ tenant }) => tenant === 'A').length,
    B: running.filter(({ tenant }) => tenant === 'B').length
  })
  const off = (tasks: Record<Tenant, number>) => Math.max(...TENANTS.map(tenant => Math.abs(tasks[tenant] - fair[tenant])))

  const fair = fairTasks(weights, machines)
  const all = await pool.allocate(capacity)
  for (let i = 0; i < BACKLOG; i++) for (const tenant of TENANTS) request(tenant)
  all.release()
  await settled()
  const first = tasksOf()
  const sum = { A: 0, B: 0 }
  for (let step = 0; step < STEPS; step++) {
    const oldest = running.shift()
    if (oldest === undefined) throw new Error('nothing runs')
    request(oldest.tenant)
    oldest.allocation.release()
    await settled()
    const now = tasksOf()
    for (const tenant of TENANTS) sum[tenant] += now[tenant] / STEPS
  }
  await gov.close()
  const words = (tasks: Record<Tenant, number>) => TENANTS.map(tenant => `${tenant} ${Number(tasks[tenant].toFixed(2))}`).join(', ')
  return {
    series: { value: [off(first)], later: [off(sum)] },
    notes: {
      'tasks by the paper': words(fair),
      'tasks at once': `${words(first)}; Jain's index ${jain(first, weights).toFixed(4)}`,
      'tasks on average': `${words(sum)}; Jain's index ${jain(sum, weights).toFixed(4)}`
    }
  }
}
