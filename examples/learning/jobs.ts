import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Governor, MiB, type Pool, type Workflow } from '../../lib/index.js'

const JOB = fileURLToPath(new URL('job.mjs', import.meta.url))
const OUT_OF_MEMORY = 137

/** What somebody would configure, lest the largest job fails. */
export const CONFIGURED = 512 * MiB

/** A job of which the memory is learnt: it says nothing of it, and is measured as a child process. */
export function jobsOf(gov: Governor): { pool: Pool; workflow: Workflow } {
  const pool = gov.pool('host', { capacity: { memory: 2_048 * MiB } })
  const workflow = gov.workflow('render', {
    needs: 'learn',
    pool,
    learning: { first: { memory: CONFIGURED } },
    metering: { level: 'all' },
    // What other processes are to learn from.
    keep: ['megabytes']
  })
  return { pool, workflow }
}

/** Does one. @returns what the kernel says that it had at its peak, bytes, read without forelock */
export function render(workflow: Workflow, megabytes: number): Promise<number> {
  return workflow.run({ input: { megabytes } }, run => {
    const granted = run.granted.memory as number
    return new Promise<number>((resolve, reject) => {
      const child = execFile(process.execPath, [JOB, String(megabytes), String(granted)], (error, stdout) => {
        if (error?.code === OUT_OF_MEMORY) reject(run.exceeded())
        else if (error !== null) reject(error)
        else resolve(JSON.parse(stdout).peak)
      })
      run.child(child).catch(reject)
    })
  })
}
