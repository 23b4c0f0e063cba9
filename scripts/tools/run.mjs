import { spawn } from 'node:child_process'
import { watch } from './watchdog.mjs'

/** A command that ended badly; its output has already been shown. */
export class CommandFailed extends Error {
  constructor(command, how) {
    super(`${command} ${how}`)
    this.name = 'CommandFailed'
  }
}

/**
 * Runs a command to its end. Its output goes to ours as it comes and, with `capture`, into `output` too.
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: object, cwd?: string, capture?: boolean, quiet?: boolean, timeoutMs?: number }} [options] quiet: keep the output from ours
 *   timeoutMs: after which it and all it started is ended
 * @returns {Promise<{ code: number | null, signal: string | null, timedOut: boolean, output: string }>}
 */
export function run(command, args, { env = process.env, cwd, capture = false, quiet = false, timeoutMs } = {}) {
  return new Promise((resolve, reject) => {
    const to = capture ? 'pipe' : 'inherit'
    const child = spawn(command, args, { env, cwd, stdio: ['ignore', to, to], detached: timeoutMs !== undefined })
    let output = ''
    let timedOut = false
    const keep = stream => chunk => {
      output += chunk
      if (!quiet) stream.write(chunk)
    }
    child.stdout?.setEncoding('utf8').on('data', keep(process.stdout))
    child.stderr?.setEncoding('utf8').on('data', keep(process.stderr))
    const unwatch =
      timeoutMs &&
      watch(child, timeoutMs, () => {
        timedOut = true
      })
    child.on('error', error => {
      unwatch?.()
      reject(error)
    })
    child.on('close', (code, signal) => {
      unwatch?.()
      resolve({ code, signal, timedOut, output })
    })
  })
}

/** Like {@link run}, but throws {@link CommandFailed} unless the command exits with 0. Returns its output. */
export async function must(command, args, options) {
  const { code, signal, timedOut, output } = await run(command, args, options)
  if (code === 0) return output
  if (options?.quiet) process.stderr.write(output)
  throw new CommandFailed(
    [command, ...args].join(' '),
    timedOut ? 'took too long' : signal ? `was ended by ${signal}` : `exited with ${code}`
  )
}

/** Runs a script's main function: a failed command ends the process with 1 and one line, anything else with its stack. */
export async function main(body) {
  try {
    await body()
  } catch (error) {
    console.error(error instanceof CommandFailed ? error.message : error)
    process.exitCode = 1
  }
}
