using System;
using System.Collections.Generic;

namespace Callsheet.Core
{
    /// <summary>Every frame on its way out, in one first-in-first-out queue of pooled buffers.</summary>
    internal sealed class Outbox
    {
        private readonly Queue<Item> _items = new Queue<Item>();
        private readonly List<byte[]> _pool = new List<byte[]>();
        private byte[] _inFlight;

        private readonly struct Item
        {
            internal Item(FrameKind kind, byte[] buffer, int count, bool survives)
            {
                Kind = kind;
                Buffer = buffer;
                Count = count;
                Survives = survives;
            }

            internal FrameKind Kind { get; }

            internal byte[] Buffer { get; }

            internal int Count { get; }

            internal bool Survives { get; }
        }

        /// <summary>True if everything was handed to the transport.</summary>
        internal bool IsEmpty => _items.Count == 0;

        /// <summary>Ticks that still wait here.</summary>
        internal int Ticks { get; private set; }

        /// <summary>Queues a copy of a frame.</summary>
        /// <param name="survives">True: still to be sent if the connection breaks and the session is resumed.</param>
        internal void Add(FrameKind kind, byte[] data, int count, bool survives)
        {
            byte[] buffer = Rent(count);
            Buffer.BlockCopy(data, 0, buffer, 0, count);
            _items.Enqueue(new Item(kind, buffer, count, survives));
            Ticks += kind == FrameKind.Binary ? 1 : 0;
        }

        /// <summary>Hands over a frame at once, ahead of the queue, to a transport that has sent nothing yet.</summary>
        internal void SendAhead(ITransport transport, byte[] data, int count)
        {
            _inFlight = Rent(count);
            Buffer.BlockCopy(data, 0, _inFlight, 0, count);
            transport.Send(FrameKind.Text, _inFlight, count);
        }

        /// <summary>Hands over as many frames as the transport takes.</summary>
        internal void Pump(ITransport transport)
        {
            while (_items.Count > 0 && transport.CanSend)
            {
                Release();
                Item item = _items.Dequeue();
                Ticks -= item.Kind == FrameKind.Binary ? 1 : 0;
                _inFlight = item.Buffer;
                transport.Send(item.Kind, item.Buffer, item.Count);
            }
        }

        /// <summary>The connection broke: keeps what survives, in order.</summary>
        internal void KeepSurvivors()
        {
            // The broken transport may still read the buffer in flight: it is not used again.
            _inFlight = null;
            for (int i = _items.Count; i > 0; i--)
            {
                Item item = _items.Dequeue();
                if (item.Survives)
                {
                    _items.Enqueue(item);
                }
                else
                {
                    _pool.Add(item.Buffer);
                }
            }
            Ticks = 0;
        }

        /// <summary>Forgets everything; returns how many frames that should have survived are lost.</summary>
        internal int Clear()
        {
            int lost = 0;
            while (_items.Count > 0)
            {
                Item item = _items.Dequeue();
                lost += item.Survives ? 1 : 0;
                _pool.Add(item.Buffer);
            }
            Ticks = 0;
            return lost;
        }

        /// <summary>Moves what is queued now behind what <paramref name="addFirst"/> queues.</summary>
        internal void PutBefore(Action addFirst)
        {
            int old = _items.Count;
            addFirst();
            for (int i = 0; i < old; i++)
            {
                _items.Enqueue(_items.Dequeue());
            }
        }

        private void Release()
        {
            if (_inFlight != null)
            {
                _pool.Add(_inFlight);
                _inFlight = null;
            }
        }

        private byte[] Rent(int count)
        {
            for (int i = _pool.Count - 1; i >= 0; i--)
            {
                byte[] buffer = _pool[i];
                if (buffer.Length >= count)
                {
                    _pool[i] = _pool[_pool.Count - 1];
                    _pool.RemoveAt(_pool.Count - 1);
                    return buffer;
                }
            }
            int size = 256;
            while (size < count)
            {
                size *= 2;
            }
            return new byte[size];
        }
    }
}
