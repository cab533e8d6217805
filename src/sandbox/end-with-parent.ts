/**
 * Loaded into every process of the sandbox before its own program. The channel to the sandbox closes when the sandbox asks
 * for the end, and just as well when it was killed: nothing outlives it. Terminal signals do not come here, because every
 * process has a group of its own.
 */
process.once('disconnect', () => {
  // Without a listener the signal would end the process before its exit handlers, and Postgres would stay.
  if (process.listenerCount('SIGTERM') === 0) process.exit(1);
  process.kill(process.pid, 'SIGTERM');
});
process.channel?.unref();
