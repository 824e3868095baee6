using System;
using System.Collections.Generic;
using System.Text;

namespace Callsheet.Core
{
    /// <summary>
    /// A transport without a network, for tests and tools: the caller plays the server's side.
    ///
    /// It does nothing by itself, so that every moment of a connection can be put in any order.
    /// </summary>
    public sealed class InMemoryTransport : ITransport
    {
        private readonly Queue<Frame> _toClient = new Queue<Frame>();
        private readonly Queue<Frame> _toServer = new Queue<Frame>();

        /// <inheritdoc/>
        public TransportState State { get; private set; } = TransportState.Opening;

        /// <inheritdoc/>
        public int CloseCode { get; private set; }

        /// <inheritdoc/>
        public string CloseReason { get; private set; } = "";

        /// <summary>False: the peer's buffers are full and nothing more can be handed over.</summary>
        public bool AcceptsData { get; set; } = true;

        /// <summary>True: what the client sends is not kept.</summary>
        public bool DiscardsData { get; set; }

        /// <inheritdoc/>
        public bool CanSend => State == TransportState.Open && AcceptsData;

        /// <summary>The close code the client sent; null if it sent none.</summary>
        public int? ClientClosedWith { get; private set; }

        /// <summary>True if the client dropped the connection.</summary>
        public bool Aborted { get; private set; }

        /// <summary>The address it was opened with.</summary>
        public Uri Url { get; private set; }

        /// <summary>Server side: completes the handshake.</summary>
        public void Accept() => State = TransportState.Open;

        /// <summary>Server side: sends a text frame.</summary>
        public void SendText(string text) => SendFrame(FrameKind.Text, Encoding.UTF8.GetBytes(text));

        /// <summary>Server side: sends a frame.</summary>
        public void SendFrame(FrameKind kind, byte[] data) => _toClient.Enqueue(new Frame(kind, new ArraySegment<byte>(data)));

        /// <summary>Server side: ends the connection; 1006 = without a close frame.</summary>
        public void Drop(int code = 1006, string reason = "")
        {
            if (State != TransportState.Closed)
            {
                State = TransportState.Closed;
                CloseCode = code;
                CloseReason = reason;
            }
        }

        /// <summary>Server side: takes the oldest frame that the client sent.</summary>
        public bool TryTakeSent(out Frame frame) => TryDequeue(_toServer, out frame);

        /// <inheritdoc/>
        public void Open(Uri url) => Url = url;

        /// <inheritdoc/>
        public void Send(FrameKind kind, byte[] buffer, int count)
        {
            if (DiscardsData)
            {
                return;
            }
            var copy = new byte[count];
            Buffer.BlockCopy(buffer, 0, copy, 0, count);
            _toServer.Enqueue(new Frame(kind, new ArraySegment<byte>(copy)));
        }

        /// <inheritdoc/>
        public bool TryReceive(out Frame frame) => TryDequeue(_toClient, out frame);

        /// <inheritdoc/>
        public void Close(int code) => ClientClosedWith = code;

        /// <inheritdoc/>
        public void Abort()
        {
            Aborted = true;
            Drop(1006, "aborted");
        }

        private static bool TryDequeue(Queue<Frame> queue, out Frame frame)
        {
            bool any = queue.Count > 0;
            frame = any ? queue.Dequeue() : default(Frame);
            return any;
        }
    }
}
