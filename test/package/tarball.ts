import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const root = fileURLToPath(new URL('../..', import.meta.url))
const consumer = fileURLToPath(new URL('./consumer', import.meta.url))
const exec = promisify(execFile)

// What git does not keep, at the top of the project.
const MADE = /^(\.git|\.cache|node_modules|dist|prebuilds|build|build-[^/]*|[^/]*\.tgz)$/

/** Where one run of the package tests does its work; removed by {@link Workshop.close}. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'forelock-package-'))

  /** A copy of the project with nothing installed and nothing built. */
  freshClone(): string {
    const clone = join(this.folder, 'clone')
    cpSync(root, clone, { recursive: true, filter: from => !MADE.test(relative(root, from)) })
    return clone
  }

  /** `npm pack` and nothing else. Returns the path of the tarball. */
  async pack(project: string): Promise<string> {
    await run('npm', ['pack', '--pack-destination', this.folder], { cwd: project })
    const [tarball] = readdirSync(this.folder).filter(file => file.endsWith('.tgz'))
    if (tarball === undefined) throw new Error('npm pack made no tarball')
    return join(this.folder, tarball)
  }

  /** Installs the tarball into a folder with the consumers, on a machine without compiler, and returns npm's output. */
  async install(tarball: string): Promise<string> {
    cpSync(consumer, this.app, { recursive: true })
    writeFileSync(join(this.app, 'package.json'), '{ "private": true }\n')
    const { stdout, stderr } = await exchange('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', tarball], {
      cwd: this.app,
      PATH: this.#barePath()
    })
    return stdout + stderr
  }

  get app(): string {
    return join(this.folder, 'app')
  }

  /** Runs a command of the consumers' folder. */
  async use(command: string, ...args: string[]): Promise<string> {
    return await run(command, args, { cwd: this.app, PATH: this.#barePath() })
  }

  /** A PATH with node, npm and the shell they need, and no compiler, make or Python. */
  #barePath(): string {
    const bin = join(this.folder, 'bin')
    mkdirSync(bin, { recursive: true })
    for (const [name, target] of Object.entries({ node: process.execPath, npm: onPath('npm'), sh: '/bin/sh' })) {
      rmSync(join(bin, name), { force: true })
      symlinkSync(target, join(bin, name))
    }
    return bin
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function onPath(command: string): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    try {
      return realpathSync(join(folder, command))
    } catch {
      // Not in this folder.
    }
  }
  throw new Error(`${command} is not on the PATH`)
}

interface Where {
  cwd: string
  PATH?: string
}

/** Returns what the command printed to stdout; rejected with all it printed if it fails. */
export async function run(command: string, args: string[], where: Where): Promise<string> {
  return (await exchange(command, args, where)).stdout
}

async function exchange(command: string, args: string[], { cwd, PATH }: Where): Promise<{ stdout: string; stderr: string }> {
  const env = { ...outsideNpm(), ...(PATH !== undefined && { PATH }) }
  try {
    return await exec(command, args, { cwd, env, maxBuffer: 2 ** 26 })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`)
  }
}

/** The environment without what an enclosing `npm test` says of this project, and without hints where Node's headers are. */
function outsideNpm(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|config_(nodedir|local|prefix))/i.test(name))
  )
}
