namespace UnityEngine
{
    public enum LightType
    {
        Spot,
        Directional,
        Point,
    }

    public enum TextAnchor
    {
        UpperLeft,
        LowerCenter = 7,
    }

    public sealed class Light : Behaviour
    {
        public LightType type { get; set; }
    }

    public sealed class Camera : Behaviour
    {
    }

    public sealed class TextMesh : Component
    {
        public string text { get; set; }

        public float characterSize { get; set; }

        public TextAnchor anchor { get; set; }
    }
}
