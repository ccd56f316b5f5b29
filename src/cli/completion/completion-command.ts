import type { Command } from 'commander';

/** The argument of `runtime completion`. */
export function describeCompletion(command: Command): Command {
  return command
    .description('print what makes a shell complete commands, flags, their values, run ids and files')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText(
      'after',
      `
Examples:
  eval "$(runtime completion bash)"          in ~/.bashrc
  source <(runtime completion zsh)           in ~/.zshrc, behind compinit
  runtime completion fish > ~/.config/fish/completions/runtime.fish`,
    );
}
