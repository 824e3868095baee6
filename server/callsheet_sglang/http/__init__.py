"""Routes in SGLang's HTTP process, the messages from there to the scheduler, and its answers."""
