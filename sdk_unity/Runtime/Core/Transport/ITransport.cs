using System;

namespace Callsheet.Core
{
    /// <summary>The two kinds of WebSocket frames.</summary>
    public enum FrameKind : byte
    {
        /// <summary>UTF-8.</summary>
        Text,

        /// <summary>Bytes.</summary>
        Binary,
    }

    /// <summary>A received frame; its bytes are good until the next call of <see cref="ITransport.TryReceive"/>.</summary>
    public readonly struct Frame
    {
        /// <summary>Wraps received bytes.</summary>
        public Frame(FrameKind kind, ArraySegment<byte> data)
        {
            Kind = kind;
            Data = data;
        }

        /// <summary>Text or bytes.</summary>
        public FrameKind Kind { get; }

        /// <summary>The bytes; UTF-8 if it is text.</summary>
        public ArraySegment<byte> Data { get; }
    }

    /// <summary>The states of a transport.</summary>
    public enum TransportState
    {
        /// <summary>The handshake has not ended.</summary>
        Opening,

        /// <summary>Frames can be sent and received.</summary>
        Open,

        /// <summary>Nothing more is sent.</summary>
        Closed,
    }

    /// <summary>
    /// One WebSocket connection, used once and polled from the thread that ticks the session.
    ///
    /// No method blocks, none throws, none calls back.
    /// </summary>
    public interface ITransport
    {
        /// <summary>Closed is final. Frames received before the close can still be taken out.</summary>
        TransportState State { get; }

        /// <summary>The code of the peer's close frame; 1006 if the connection ended without one.</summary>
        int CloseCode { get; }

        /// <summary>Why the connection ended, for a log.</summary>
        string CloseReason { get; }

        /// <summary>True if the connection is open and the buffer of the last send is free again.</summary>
        bool CanSend { get; }

        /// <summary>Begins to connect.</summary>
        void Open(Uri url);

        /// <summary>Hands over a frame. The buffer stays in use until <see cref="CanSend"/> is true again.</summary>
        void Send(FrameKind kind, byte[] buffer, int count);

        /// <summary>Takes the oldest received frame out.</summary>
        bool TryReceive(out Frame frame);

        /// <summary>Begins the closing handshake; the state turns Closed when the peer answers.</summary>
        void Close(int code);

        /// <summary>Drops the connection at once.</summary>
        void Abort();
    }
}
