using System;
using System.Collections.Generic;

namespace UnityEngine
{
    public struct Vector3
    {
        public float x;
        public float y;
        public float z;

        public Vector3(float x, float y, float z)
        {
            this.x = x;
            this.y = y;
            this.z = z;
        }

        public static Vector3 zero => new Vector3(0, 0, 0);

        public static Vector3 up => new Vector3(0, 1, 0);

        public float sqrMagnitude => (x * x) + (y * y) + (z * z);

        public float magnitude => (float)Math.Sqrt(sqrMagnitude);

        public Vector3 normalized => magnitude > 1e-5f ? this / magnitude : zero;

        public static Vector3 operator +(Vector3 a, Vector3 b) => new Vector3(a.x + b.x, a.y + b.y, a.z + b.z);

        public static Vector3 operator -(Vector3 a, Vector3 b) => new Vector3(a.x - b.x, a.y - b.y, a.z - b.z);

        public static Vector3 operator *(Vector3 a, float d) => new Vector3(a.x * d, a.y * d, a.z * d);

        public static Vector3 operator /(Vector3 a, float d) => new Vector3(a.x / d, a.y / d, a.z / d);

        public static float Distance(Vector3 a, Vector3 b) => (a - b).magnitude;

        public static Vector3 MoveTowards(Vector3 current, Vector3 target, float maxDistanceDelta)
        {
            Vector3 way = target - current;
            return way.magnitude <= maxDistanceDelta ? target : current + (way.normalized * maxDistanceDelta);
        }
    }

    public struct Vector2
    {
        public float x;
        public float y;

        public Vector2(float x, float y)
        {
            this.x = x;
            this.y = y;
        }

        public static Vector2 zero => new Vector2(0, 0);
    }

    public struct Color
    {
        public float r;
        public float g;
        public float b;
        public float a;

        public Color(float r, float g, float b)
            : this(r, g, b, 1f)
        {
        }

        public Color(float r, float g, float b, float a)
        {
            this.r = r;
            this.g = g;
            this.b = b;
            this.a = a;
        }
    }

    public struct Rect
    {
        public Rect(float x, float y, float width, float height)
        {
            this.x = x;
            this.y = y;
            this.width = width;
            this.height = height;
        }

        public float x { get; set; }

        public float y { get; set; }

        public float width { get; set; }

        public float height { get; set; }
    }

    public class Time
    {
        public static double realtimeSinceStartupAsDouble => Waited + Watch.Elapsed.TotalSeconds;

        public static double timeAsDouble { get; private set; }

        public static float time => (float)timeAsDouble;

        public static float deltaTime { get; private set; }

        private static double Waited { get; set; }

        private static readonly System.Diagnostics.Stopwatch Watch = System.Diagnostics.Stopwatch.StartNew();

        /// <summary>Lets time pass. Not part of Unity's API.</summary>
        public static void Advance(double seconds)
        {
            Waited += seconds;
            deltaTime = (float)seconds;
            timeAsDouble += seconds;
        }
    }

    public class Debug
    {
        /// <summary>Everything logged, "Warning: ..." and so on. Not part of Unity's API.</summary>
        public static readonly List<string> Lines = new List<string>();

        public static bool isDebugBuild => true;

        public static void Log(object message) => Lines.Add("Log: " + message);

        public static void Log(object message, Object context) => Log(message);

        public static void LogWarning(object message) => Lines.Add("Warning: " + message);

        public static void LogWarning(object message, Object context) => LogWarning(message);

        public static void LogError(object message) => Lines.Add("Error: " + message);

        public static void LogError(object message, Object context) => LogError(message);

        public static void LogException(Exception exception) => Lines.Add("Exception: " + exception);

        public static void LogException(Exception exception, Object context) => LogException(exception);
    }

    public sealed class Resources
    {
        public static T[] FindObjectsOfTypeAll<T>() => PlayerLoop.All<T>();
    }

    public sealed class Gizmos
    {
        /// <summary>Radii of what was drawn. Not part of Unity's API.</summary>
        public static readonly List<float> Spheres = new List<float>();

        public static Color color { get; set; }

        public static void DrawWireSphere(Vector3 center, float radius) => Spheres.Add(radius);
    }

    public static class Random
    {
        private static readonly System.Random Source = new System.Random(1);

        public static float value => (float)Source.NextDouble();

        public static float Range(float minInclusive, float maxInclusive) => minInclusive + (value * (maxInclusive - minInclusive));

        public static int Range(int minInclusive, int maxExclusive) => Source.Next(minInclusive, maxExclusive);
    }

    public enum RuntimePlatform
    {
        OSXEditor = 0,
        OSXPlayer = 1,
        WindowsPlayer = 2,
        WindowsEditor = 7,
        IPhonePlayer = 8,
        Android = 11,
        LinuxPlayer = 13,
        LinuxEditor = 16,
        WebGLPlayer = 17,
        PS4 = 25,
    }

    public class Application
    {
        /// <summary>Set by <see cref="PlayerLoop"/>, which Unity's cannot be.</summary>
        public static bool isPlaying { get; internal set; } = true;

        /// <summary>Set by tests, which Unity's cannot be.</summary>
        public static RuntimePlatform platform { get; internal set; } = RuntimePlatform.LinuxPlayer;

        /// <summary>Set by tests, which Unity's cannot be.</summary>
        public static string streamingAssetsPath { get; internal set; } = "StreamingAssets";
    }
}
