using System;
using System.Collections.Generic;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;

namespace Callsheet.Tests
{
    /// <summary>Bytes that a frame allocates, by the runtime's own count; printed, and asserted to be none.</summary>
    public class AllocationTests
    {
        private const int Frames = 10000;

        /// <summary>An open session in which nothing happens but pings and pongs.</summary>
        [Test]
        public void Idle_frames_allocate_nothing()
        {
            var transport = new Loopback();
            Session session = Open(transport);
            double now = 1;
            None(() => session.Tick(now += 1.0 / 60));
        }

        [Test]
        public void Encoding_a_tick_of_1000_npcs_allocates_nothing()
        {
            var writer = new TickWriter();
            uint tick = 0;
            None(() =>
            {
                writer.Begin(TickKind.Keyframe, tick, tick++ / 60.0, false);
                for (uint i = 0; i < 1000; i++)
                {
                    writer.Npc(i, i, 0, i, 1, 0, 1, float.NaN, NpcFlags.None);
                }
                writer.Player(0, 1, 2, 3, 0, 0, 0);
            });
        }

        /// <summary>A world of 1,000 NPCs that all move in every frame, a tick each frame.</summary>
        [Test]
        public void Sending_a_tick_of_1000_moving_npcs_allocates_nothing()
        {
            var transport = new Loopback();
            Session session = NewSession(transport);
            var world = new GameWorld(session, new WorldOptions { TicksPerS = 1000 });
            for (int i = 0; i < 1000; i++)
            {
                world.Add(new NpcSpec { Npc = "npc" + i, Name = "npc" + i });
            }
            transport.NpcsToSpawn = 1000;
            Start(session, transport);
            double now = 1;
            int frame = 0;
            None(() =>
            {
                frame++;
                now += 1.0 / 60;
                for (int i = 0; i < world.Npcs.Count; i++)
                {
                    world.Npcs[i].SetMotion(i + (frame % 2), 0, i, 1, 0, 0);
                }
                session.Tick(now);
                world.Tick(now, now);
            });
            Assert.That(world.LastTickBytes, Is.EqualTo(32 + 36000));
        }

        private static void None(Action frame)
        {
            for (int i = 0; i < Frames / 10; i++)
            {
                frame();
            }
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < Frames; i++)
            {
                frame();
            }
            double bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)Frames;
            Console.WriteLine("allocated bytes per frame: " + bytes);
            Assert.That(bytes, Is.EqualTo(0));
        }

        private static Session NewSession(Loopback transport) =>
            new Session(new SessionOptions(), () => transport);

        private static Session Open(Loopback transport)
        {
            Session session = NewSession(transport);
            Start(session, transport);
            return session;
        }

        private static void Start(Session session, Loopback transport)
        {
            session.Start();
            for (double now = 0; now < 1; now += 0.1)
            {
                session.Tick(now);
            }
            Assert.That(session.State, Is.EqualTo(SessionState.Open));
        }

        /// <summary>A server in a few lines that allocates nothing once the session is open.</summary>
        private sealed class Loopback : ITransport
        {
            private static readonly byte[] Pong = System.Text.Encoding.ASCII.GetBytes(
                "{\"type\":\"pong\",\"client_time_s\":0.123456,\"server_time_s\":12345.678901234}");

            private readonly Queue<byte[]> _answers = new Queue<byte[]>();

            internal int NpcsToSpawn { get; set; }

            public TransportState State => TransportState.Open;

            public int CloseCode => 0;

            public string CloseReason => "";

            public bool CanSend => true;

            public void Open(Uri url)
            {
            }

            public void Send(FrameKind kind, byte[] buffer, int count)
            {
                if (kind == FrameKind.Binary)
                {
                    return;
                }
                // The third letter of the type tells the few messages apart that a client sends here.
                switch ((char)buffer[11])
                {
                    case 'l': _answers.Enqueue(System.Text.Encoding.UTF8.GetBytes(Rig.WelcomeText())); break;
                    case 'n': _answers.Enqueue(Pong); break;
                    case 'a': _answers.Enqueue(System.Text.Encoding.UTF8.GetBytes(Spawned())); break;
                }
            }

            public bool TryReceive(out Frame frame)
            {
                bool any = _answers.Count > 0;
                frame = any ? new Frame(FrameKind.Text, new ArraySegment<byte>(_answers.Dequeue())) : default(Frame);
                return any;
            }

            public void Close(int code)
            {
            }

            public void Abort()
            {
            }

            private string Spawned()
            {
                var handles = new string[NpcsToSpawn];
                for (int i = 0; i < handles.Length; i++)
                {
                    handles[i] = "{\"npc\":\"npc" + i + "\",\"handle\":" + i + "}";
                }
                return "{\"type\":\"spawned\",\"seq\":1,\"id\":1,\"npcs\":[" + string.Join(",", handles) + "],\"players\":[]}";
            }
        }
    }
}
