using System;
using System.Collections.Generic;
using System.Net.WebSockets;
using System.Threading;
using System.Threading.Tasks;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>
    /// The transport of every platform that has <see cref="ClientWebSocket"/>, which is all but WebGL.
    ///
    /// The socket's asynchronous I/O stays in here; what it brings is put in a queue that is emptied by
    /// polling. A full queue stops the reading, so a client that looks away for long is slowed by TCP
    /// and not by its memory. Timeouts are the session's: a handshake that hangs is abandoned by
    /// <see cref="Abort"/>, because on Mono nothing else ends it.
    /// </summary>
    public sealed class WebSocketTransport : ITransport
    {
        private const int ChunkBytes = 64 * 1024;
        private const int MaxQueuedBytes = 8 * 1024 * 1024;
        private const int MaxFrameBytes = 16 * 1024 * 1024;

        private readonly object _lock = new object();
        private readonly Queue<Frame> _received = new Queue<Frame>();
        private ClientWebSocket _socket;
        private TransportState _state = TransportState.Opening;
        private bool _sending;
        private bool _closing;
        private int _queuedBytes;
        private TaskCompletionSource<bool> _drained;
        private int _closeCode;
        private string _closeReason = "";

        /// <inheritdoc/>
        public TransportState State
        {
            get
            {
                lock (_lock)
                {
                    return _state;
                }
            }
        }

        /// <inheritdoc/>
        public int CloseCode
        {
            get
            {
                lock (_lock)
                {
                    return _closeCode;
                }
            }
        }

        /// <inheritdoc/>
        public string CloseReason
        {
            get
            {
                lock (_lock)
                {
                    return _closeReason;
                }
            }
        }

        /// <inheritdoc/>
        public bool CanSend
        {
            get
            {
                lock (_lock)
                {
                    return _state == TransportState.Open && !_sending && !_closing;
                }
            }
        }

        /// <inheritdoc/>
        public void Open(Uri url)
        {
            try
            {
                _socket = new ClientWebSocket();
                _socket.Options.AddSubProtocol(ProtocolInfo.Subprotocol);
                _socket.Options.KeepAliveInterval = TimeSpan.Zero;
                // Task.Run: no continuation may ever be posted to the game's main thread.
                Task.Run(() => RunAsync(url));
            }
            catch (Exception error)
            {
                End(1006, error.Message);
            }
        }

        /// <inheritdoc/>
        public void Send(FrameKind kind, byte[] buffer, int count)
        {
            lock (_lock)
            {
                _sending = true;
            }
            Task.Run(() => SendAsync(kind, buffer, count));
        }

        /// <inheritdoc/>
        public bool TryReceive(out Frame frame)
        {
            TaskCompletionSource<bool> drained = null;
            lock (_lock)
            {
                if (_received.Count == 0)
                {
                    frame = default(Frame);
                    return false;
                }
                frame = _received.Dequeue();
                _queuedBytes -= frame.Data.Count;
                if (_queuedBytes < MaxQueuedBytes / 2)
                {
                    drained = _drained;
                    _drained = null;
                }
            }
            drained?.TrySetResult(true);
            return true;
        }

        /// <inheritdoc/>
        public void Close(int code)
        {
            lock (_lock)
            {
                if (_closing || _state != TransportState.Open)
                {
                    return;
                }
                _closing = true;
            }
            Task.Run(() => CloseAsync(code));
        }

        /// <inheritdoc/>
        public void Abort()
        {
            End(1006, "dropped by this client");
            ClientWebSocket socket = _socket;
            if (socket != null)
            {
                // On Mono, Abort of a socket that is still connecting can block; nobody waits for it.
                Task.Run(() => Quietly(socket.Abort));
            }
        }

        private async Task RunAsync(Uri url)
        {
            int code = 1006;
            string reason;
            try
            {
                await _socket.ConnectAsync(url, CancellationToken.None).ConfigureAwait(false);
                lock (_lock)
                {
                    if (_state == TransportState.Closed)
                    {
                        Quietly(_socket.Abort);
                        return;
                    }
                    _state = TransportState.Open;
                }
                await ReceiveAsync().ConfigureAwait(false);
                code = (int)(_socket.CloseStatus ?? WebSocketCloseStatus.Empty);
                reason = _socket.CloseStatusDescription ?? "";
            }
            catch (Exception error)
            {
                reason = (error.InnerException ?? error).Message;
            }
            // The peer's close frame is answered, but nobody waits for more.
            End(code, reason);
            await CloseAsync(CloseCodes.Normal).ConfigureAwait(false);
            Quietly(_socket.Dispose);
        }

        private async Task ReceiveAsync()
        {
            var buffer = new byte[ChunkBytes];
            int count = 0;
            while (true)
            {
                var rest = new ArraySegment<byte>(buffer, count, buffer.Length - count);
                WebSocketReceiveResult result = await _socket.ReceiveAsync(rest, CancellationToken.None).ConfigureAwait(false);
                if (result.MessageType == WebSocketMessageType.Close)
                {
                    return;
                }
                count += result.Count;
                if (!result.EndOfMessage)
                {
                    if (count == MaxFrameBytes)
                    {
                        throw new InvalidOperationException("a frame of more than " + MaxFrameBytes + " bytes");
                    }
                    if (count == buffer.Length)
                    {
                        Array.Resize(ref buffer, buffer.Length * 2);
                    }
                    continue;
                }
                var data = new byte[count];
                Buffer.BlockCopy(buffer, 0, data, 0, count);
                FrameKind kind = result.MessageType == WebSocketMessageType.Text ? FrameKind.Text : FrameKind.Binary;
                Task room = Queue(new Frame(kind, new ArraySegment<byte>(data)));
                count = 0;
                if (room != null)
                {
                    await room.ConfigureAwait(false);
                }
            }
        }

        /// <summary>Queues a frame; returns what to wait for if the queue is full now, else null.</summary>
        private Task Queue(Frame frame)
        {
            lock (_lock)
            {
                _received.Enqueue(frame);
                _queuedBytes += frame.Data.Count;
                if (_queuedBytes < MaxQueuedBytes || _state == TransportState.Closed)
                {
                    return null;
                }
                _drained = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
                return _drained.Task;
            }
        }

        private async Task SendAsync(FrameKind kind, byte[] buffer, int count)
        {
            try
            {
                WebSocketMessageType type = kind == FrameKind.Text ? WebSocketMessageType.Text : WebSocketMessageType.Binary;
                await _socket.SendAsync(new ArraySegment<byte>(buffer, 0, count), type, true, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                // The receiving side may still hold an error message and a close code: let it end first.
                if (_socket.State != WebSocketState.CloseReceived)
                {
                    Quietly(_socket.Abort);
                }
                lock (_lock)
                {
                    _closeReason = error.Message;
                }
            }
            lock (_lock)
            {
                _sending = false;
            }
        }

        private async Task CloseAsync(int code)
        {
            try
            {
                await _socket.CloseOutputAsync((WebSocketCloseStatus)code, "", CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                lock (_lock)
                {
                    _closeReason = _closeReason.Length > 0 ? _closeReason : error.Message;
                }
            }
        }

        private void End(int code, string reason)
        {
            TaskCompletionSource<bool> drained;
            lock (_lock)
            {
                if (_state == TransportState.Closed)
                {
                    return;
                }
                _state = TransportState.Closed;
                _closeCode = code;
                _closeReason = reason;
                drained = _drained;
                _drained = null;
            }
            drained?.TrySetResult(true);
        }

        private static void Quietly(Action action)
        {
            try
            {
                action();
            }
            catch (Exception error) when (error is ObjectDisposedException || error is WebSocketException || error is InvalidOperationException)
            {
                // The socket is gone already, and that is what was wanted.
            }
        }
    }
}
