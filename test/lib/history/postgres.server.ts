import { execFileSync, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const INSTALLED = '/usr/lib/postgresql'

/** A PostgreSQL server of this test's own, reached through a socket in its folder. */
export class PostgresServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'forelock-postgres-'))
  readonly #binaries: string
  readonly #as: readonly string[]

  /** Where Debian puts it; null where it is not installed. */
  static binaries(): string | null {
    if (!existsSync(INSTALLED)) return null
    const [newest] = readdirSync(INSTALLED).sort((a, b) => Number(b) - Number(a))
    return newest === undefined ? null : join(INSTALLED, newest, 'bin')
  }

  constructor(binaries: string) {
    this.#binaries = binaries
    // It refuses to run as root.
    const isRoot = process.getuid?.() === 0
    this.#as = isRoot ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'] : []
    if (isRoot) chownSync(this.#folder, this.#idOf('-u'), this.#idOf('-g'))
    this.#run('initdb', '-D', this.#data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--no-locale', '--no-sync')
    this.start()
  }

  get url(): string {
    return `postgres://postgres@/postgres?host=${this.#folder}`
  }

  start(): void {
    const options = `-k ${this.#folder} -c listen_addresses= -c fsync=off`
    this.#run('pg_ctl', '-D', this.#data, '-o', options, '-l', join(this.#folder, 'log'), '-w', 'start')
  }

  /** As a server that crashes: its connections end at once. */
  stop(): void {
    this.#run('pg_ctl', '-D', this.#data, '-m', 'immediate', '-w', 'stop')
  }

  remove(): void {
    this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #data(): string {
    return join(this.#folder, 'data')
  }

  #idOf(which: string): number {
    return Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' }))
  }

  #run(program: string, ...args: string[]): void {
    const [command, ...rest] = [...this.#as, join(this.#binaries, program), ...args]
    // pg_ctl leaves the server behind: with a pipe this would wait for it.
    const { status } = spawnSync(command, rest, { stdio: 'ignore', cwd: this.#folder })
    if (status !== 0) throw new Error(`${program} ended with ${status}`)
  }
}
