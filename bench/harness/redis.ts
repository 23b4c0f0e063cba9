import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeExit } from './cleanup.js'

const START_MS = 5_000

/** A redis-server of our own on loopback, which keeps nothing. */
export class RedisServer {
  private constructor(
    readonly port: number,
    readonly version: string,
    private readonly child: ChildProcess,
    private readonly end: () => void
  ) {}

  /** @throws Error when it is not installed or does not start */
  static async start(): Promise<RedisServer> {
    const port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), 'forelock-redis-'))
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no']
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] })
    const end = beforeExit(() => {
      child.kill()
      rmSync(folder, { recursive: true })
    })
    const log = { text: '' }
    child.stdout?.setEncoding('utf8').on('data', chunk => {
      log.text += chunk
    })
    try {
      await Promise.race([answers(port), endsEarly(child)])
    } catch (error) {
      end()
      throw error
    }
    return new RedisServer(port, /version=([\d.]+)/.exec(log.text)?.[1] ?? 'unknown', child, end)
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit')
    this.end()
    await ended
  }
}

async function endsEarly(child: ChildProcess): Promise<never> {
  const event = await Promise.race([once(child, 'error'), once(child, 'exit')])
  if ((event[0] as { code?: string } | null)?.code === 'ENOENT') throw new Error('redis-server is not installed')
  throw new Error(`redis-server did not start: ${event[0]}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function answers(port: number): Promise<void> {
  const until = performance.now() + START_MS
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return
    } catch (error) {
      if (performance.now() > until) throw error
    } finally {
      socket.destroy()
    }
    await sleep(20)
  }
}
