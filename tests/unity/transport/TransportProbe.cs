using System;
using System.Diagnostics;
using System.Threading;
using Callsheet.Core;

namespace Callsheet.Tests
{
    /// <summary>Does with a real socket what it is told: <c>mono TransportProbe.exe URL STEP...</c>.</summary>
    internal static class TransportProbe
    {
        private const double PatienceS = 20;

        private static int Main(string[] args)
        {
            try
            {
                var transport = new WebSocketTransport();
                transport.Open(new Uri(args[0]));
                for (int i = 1; i < args.Length; i++)
                {
                    string[] step = args[i].Split(':');
                    Run(transport, step[0], step.Length > 1 ? int.Parse(step[1]) : 0);
                }
                Console.WriteLine("passed");
                return 0;
            }
            catch (Exception e)
            {
                Console.WriteLine("FAILED " + e);
                return 1;
            }
        }

        private static void Run(WebSocketTransport transport, string step, int number)
        {
            switch (step)
            {
                case "open":
                    Until(() => transport.State == TransportState.Open, "open");
                    break;
                case "echo":
                    Echo(transport, number, FrameKind.Binary);
                    Echo(transport, number, FrameKind.Text);
                    break;
                case "close":
                    transport.Close(number);
                    break;
                case "closed":
                    Until(() => transport.State == TransportState.Closed, "closed");
                    Check(transport.CloseCode == number, "closed with " + transport.CloseCode + " " + transport.CloseReason);
                    Check(!transport.CanSend, "a closed transport can send");
                    break;
                case "abort":
                    transport.Abort();
                    Check(transport.State == TransportState.Closed, "aborted but " + transport.State);
                    break;
                case "idle":
                    Thread.Sleep(number);
                    break;
                case "told":
                    Console.In.ReadToEnd();
                    break;
                case "drain":
                    Drain(transport, number);
                    break;
                default:
                    throw new ArgumentException(step);
            }
        }

        private static void Echo(WebSocketTransport transport, int size, FrameKind kind)
        {
            var data = new byte[size];
            for (int i = 0; i < size; i++)
            {
                data[i] = kind == FrameKind.Text ? (byte)('a' + (i % 26)) : (byte)((i * 7) + (i >> 8));
            }
            Until(() => transport.CanSend, "able to send");
            transport.Send(kind, data, size);
            Frame frame = Receive(transport);
            Check(frame.Kind == kind && frame.Data.Count == size, frame.Kind + " of " + frame.Data.Count);
            for (int i = 0; i < size; i++)
            {
                Check(frame.Data.Array[frame.Data.Offset + i] == data[i], "byte " + i + " differs");
            }
        }

        /// <summary>Numbered frames, all of them, in order.</summary>
        private static void Drain(WebSocketTransport transport, int count)
        {
            for (int i = 0; i < count; i++)
            {
                Frame frame = Receive(transport);
                Check(BitConverter.ToInt32(frame.Data.Array, frame.Data.Offset) == i, "frame " + i);
            }
        }

        private static Frame Receive(WebSocketTransport transport)
        {
            Frame frame = default(Frame);
            Until(() => transport.TryReceive(out frame), "a frame");
            return frame;
        }

        private static void Until(Func<bool> condition, string what)
        {
            for (Stopwatch clock = Stopwatch.StartNew(); !condition(); Thread.Sleep(1))
            {
                Check(clock.Elapsed.TotalSeconds < PatienceS, "waited in vain for: " + what);
            }
        }

        private static void Check(bool fine, string what)
        {
            if (!fine)
            {
                throw new InvalidOperationException(what);
            }
        }
    }
}
