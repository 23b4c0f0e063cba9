// The load: autocannon, in a process of its own.
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'

const SCRIPT = createRequire(import.meta.url).resolve('autocannon')
const CONNECTIONS = 64
/** requests per second, several times the limit */
const OFFERED = 2500

/** What autocannon saw. */
export interface Load {
  readonly '2xx': number
  readonly '4xx': number
  readonly errors: number
  readonly statusCodeStats: Readonly<Record<string, { count: number }>>
}

export async function load(url: string, seconds: number): Promise<Load> {
  const options = ['--json', '--connections', CONNECTIONS, '--duration', seconds, '--overallRate', OFFERED].map(String)
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, ...options, url])
  return JSON.parse(stdout) as Load
}
